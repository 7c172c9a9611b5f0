"""`headgate workspaces`: over HTTP, on a running server."""

from typing import Annotated

import typer

from headgate.cli.administrator import Administrator
from headgate.cli.options import Url, settings_from
from headgate.cli.pairs import pairs
from headgate.cli.table import print_table

app = typer.Typer(no_args_is_help=True, help="Workspaces: tiers, teams or regions.")


@app.command("list")
def list_(url: Url = None) -> None:
    """List the workspaces."""
    found = Administrator(settings_from(url=url)).get("/admin/workspaces")
    print_table(("SLUG", "NAME", "DESCRIPTION"), [(w["slug"], w["name"], w.get("description")) for w in found["data"]])


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Its name; the slug is made from it.")],
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    metadata: Annotated[list[str] | None, typer.Option(help="`key=value`, put on every call. Repeatable.")] = None,
    url: Url = None,
) -> None:
    """Create a workspace and print its slug."""
    body: dict[str, object] = {"name": name, "description": description}
    if metadata:
        body["defaults"] = {"metadata": pairs(metadata, "--metadata")}
    print(Administrator(settings_from(url=url)).post("/admin/workspaces", body)["slug"])
