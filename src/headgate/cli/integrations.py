"""`headgate integrations`: over HTTP, on a running server. A credential never stands on the command line."""

import os
import sys
from typing import Annotated

import typer

from headgate.base.errors import InvalidRequest
from headgate.cli.administrator import Administrator
from headgate.cli.options import Url, settings_from
from headgate.cli.table import print_table
from headgate.process.provider_keys import variable_of

app = typer.Typer(no_args_is_help=True, help="Integrations: provider credentials, provisioned to workspaces.")


@app.command("list")
def list_(url: Url = None) -> None:
    """List the integrations of the organization."""
    found = Administrator(settings_from(url=url)).get("/integrations")
    rows = [(each["slug"], each["ai_provider_id"], each["name"], each["status"]) for each in found["data"]]
    print_table(("SLUG", "PROVIDER", "NAME", "STATUS"), rows)


@app.command()
def add(
    provider: Annotated[str, typer.Argument(help="The provider's id: openai, anthropic, gemini, groq, ollama ...")],
    name: Annotated[str | None, typer.Option(help="Its name. Without it, the provider's id.")] = None,
    slug: Annotated[str | None, typer.Option(help="Models are addressed as @slug/model.")] = None,
    from_env: Annotated[
        bool,
        typer.Option(
            "--from-env", help="Take the credential from the provider's usual variable, OPENAI_API_KEY for example."
        ),
    ] = False,
    base_url: Annotated[
        str | None, typer.Option(help="Where it is, with the version path. Without it, the provider's own.")
    ] = None,
    no_key: Annotated[bool, typer.Option("--no-key", help="It needs no credential, as a local model server.")] = False,
    url: Url = None,
) -> None:
    """Add a provider credential, from the environment, from a prompt or from standard input."""
    body: dict[str, object] = {"ai_provider_id": provider, "name": name or provider, "slug": slug or name or provider}
    if not no_key:
        body["key"] = _credential(provider, from_env)
    if base_url is not None:
        body["configurations"] = {"custom_host": base_url}
    made = Administrator(settings_from(url=url)).post("/integrations", body)["slug"]
    print(made)
    print(f"Give workspaces access: headgate integrations provision {made} WORKSPACE ...", file=sys.stderr)


@app.command()
def provision(
    integration: Annotated[str, typer.Argument(help="The integration's slug.")],
    workspaces: Annotated[list[str], typer.Argument(help="The workspaces' slugs.")],
    url: Url = None,
) -> None:
    """Give workspaces access to an integration; it appears there as a provider."""
    body = {"workspaces": [{"id": slug, "enabled": True} for slug in workspaces]}
    Administrator(settings_from(url=url)).put(f"/integrations/{integration}/workspaces", body)
    for slug in workspaces:
        print(f"@{integration} in {slug}")


def _credential(provider: str, from_env: bool) -> str:
    if from_env:
        variable = variable_of(provider)
        if not (key := os.environ.get(variable, "")):
            raise InvalidRequest(f"{variable} is not set.")
        return key
    key = str(typer.prompt("Credential", hide_input=True)) if sys.stdin.isatty() else sys.stdin.readline().strip()
    if not key:
        raise InvalidRequest("No credential on standard input. Use --from-env, or --no-key where none is needed.")
    return key
