"""`headgate api-keys`: over HTTP, on a running server."""

from decimal import Decimal, InvalidOperation
from typing import Annotated
from urllib.parse import quote

import typer

from headgate.base.errors import InvalidRequest
from headgate.cli.administrator import Administrator
from headgate.cli.options import Url, settings_from
from headgate.cli.pairs import pairs
from headgate.cli.table import print_table

app = typer.Typer(no_args_is_help=True, help="API keys: what a customer's user or service calls with.")


@app.command("list")
def list_(
    workspace: Annotated[str | None, typer.Option(help="Only those of this workspace.")] = None, url: Url = None
) -> None:
    """List the keys, masked."""
    found = Administrator(settings_from(url=url)).get("/api-keys", {"workspace_id": workspace} if workspace else None)
    rows = [(k["id"], k["key"], k["name"], k["type"], k.get("workspace_id"), k["status"]) for k in found["data"]]
    print_table(("ID", "KEY", "NAME", "TYPE", "WORKSPACE", "STATUS"), rows)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose key it is.")],
    workspace: Annotated[str, typer.Option(help="The workspace's slug.")],
    scope: Annotated[list[str], typer.Option(help="What it may do. Repeatable.")] = ["completions.write"],  # noqa: B006
    budget_usd: Annotated[str | None, typer.Option(help="The most it may spend, in US dollars.")] = None,
    reset: Annotated[
        str | None, typer.Option(help="When the budget starts anew: `daily`, `weekly` or `monthly`. Without it, never.")
    ] = None,
    rpm: Annotated[int | None, typer.Option(help="Requests per minute.")] = None,
    metadata: Annotated[list[str] | None, typer.Option(help="`key=value`, put on every call. Repeatable.")] = None,
    url: Url = None,
) -> None:
    """Create a key of a workspace and print it: this once and never again."""
    body: dict[str, object] = {"name": name, "workspace_id": workspace, "scopes": scope}
    if budget_usd is not None:
        body["usage_limits"] = {"type": "cost", "credit_limit": _dollars(budget_usd), "periodic_reset": reset}
    elif reset is not None:
        raise InvalidRequest("--reset says when a budget starts anew, and there is no --budget-usd.")
    if rpm is not None:
        body["rate_limits"] = [{"type": "requests", "unit": "rpm", "value": rpm}]
    if metadata:
        body["defaults"] = {"metadata": pairs(metadata, "--metadata")}
    print(Administrator(settings_from(url=url)).post("/api-keys/workspace/service", body)["key"])


@app.command()
def rotate(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `list` shows it.")],
    transition_minutes: Annotated[
        int | None,
        typer.Option(help="How long the secret before stays good: 30 or more, or 0 to end it at once.", min=0),
    ] = None,
    url: Url = None,
) -> None:
    """Give a key another secret and print the key: this once and never again. Its id, limits and usage stay."""
    body = {} if transition_minutes is None else {"key_transition_period_ms": transition_minutes * 60_000}
    print(Administrator(settings_from(url=url)).post(f"/api-keys/{quote(key_id, safe='')}/rotate", body)["key"])


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `list` shows it.")], url: Url = None
) -> None:
    """Revoke a key: within a second no call with it is taken."""
    Administrator(settings_from(url=url)).delete(f"/api-keys/{quote(key_id, safe='')}")
    print(f"{key_id} revoked")


def _dollars(text: str) -> str:
    try:
        if (amount := Decimal(text)).is_finite() and amount >= 0:
            return text
    except InvalidOperation:
        pass
    raise InvalidRequest(f"--budget-usd: `{text}` is not an amount of dollars.")
