"""`headgate processes`: those that share allowances."""

import asyncio
from typing import Annotated

import typer

from headgate.base.clock import NANOS_PER_SECOND
from headgate.cli.options import Config, DataDir, settings_from
from headgate.cli.table import print_table

app = typer.Typer(no_args_is_help=True, help="The processes that share allowances, and may hold something of them.")


@app.callback()
def processes() -> None:
    """The processes that share allowances, and may hold something of them."""


@app.command(name="list")
def list_processes(data_dir: DataDir = None, config: Config = None) -> None:
    """Those that may hold something, the oldest first: all that run, and those that died and are not accounted for."""
    from headgate.process import sharers

    found = asyncio.run(sharers.processes(settings_from(data_dir=data_dir, config=config)))
    rows = [(each.id, each.place, f"{each.idle // NANOS_PER_SECOND} s ago", _state(each.alive)) for each in found]
    print_table(("PROCESS", "PLACE", "SEEN", "STATE"), rows)


@app.command()
def forget(
    process_id: Annotated[str, typer.Argument(help="As `headgate processes list` names it.")],
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Give up a process that died with its disk: what it had borrowed can be lent anew.

    Of what it spent, only what it wrote to the database counts. One whose disk is there is started again on it instead:
    then nothing is lost. Refused for one that may be alive.
    """
    from headgate.process import sharers

    found = asyncio.run(sharers.forget_process(settings_from(data_dir=data_dir, config=config), process_id))
    print(f"{found.id} at {found.place} is given up.")


def _state(alive: bool) -> str:
    return "alive" if alive else "dead"
