"""The command line as a whole, and how its errors are told: one sentence, no traceback for what can be expected."""

import sys

import typer

from headgate.base.errors import HeadgateError
from headgate.cli import api_keys, audit, integrations, keys, migrate, prices, processes, usage, workspaces
from headgate.cli.apply.command import apply
from headgate.cli.backup import backup, restore
from headgate.cli.check import check
from headgate.cli.demo import demo
from headgate.cli.serve import serve
from headgate.cli.simulate import simulate
from headgate.cli.verify import verify
from headgate.process.told import tell

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Headgate: a gateway between your customers and large language models, each within their own budget.",
)
app.command()(serve)
app.command()(check)
app.command()(backup)
app.command()(restore)
app.command()(apply)
app.command()(verify)
app.command()(simulate)
app.command()(demo)
app.add_typer(migrate.app, name="migrate")
app.add_typer(workspaces.app, name="workspaces")
app.add_typer(integrations.app, name="integrations")
app.add_typer(api_keys.app, name="api-keys")
app.add_typer(keys.app, name="keys")
app.add_typer(usage.app, name="usage")
app.add_typer(audit.app, name="audit")
app.add_typer(prices.app, name="prices")
app.add_typer(processes.app, name="processes")


def main() -> None:
    """The entry point. Exit code 2 for wrong usage, 1 for what went wrong."""
    try:
        app(prog_name="headgate")
    except HeadgateError as error:
        sys.exit(tell(error))
