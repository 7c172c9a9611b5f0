"""`headgate audit`: whether the log of what administrators did is what was written."""

import asyncio
import sys
from typing import Annotated

import typer

from headgate.base.errors import InvalidRequest
from headgate.cli.options import Config, DataDir, settings_from
from headgate.cli.table import print_table

app = typer.Typer(no_args_is_help=True, help="The audit log: what administrators changed.")


@app.callback()
def audit() -> None:
    """The audit log: what administrators changed."""


@app.command()
def verify(
    head: Annotated[
        str | None, typer.Option(help="The head that an earlier run printed: it must still be in the log.")
    ] = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Walk the hash chain of the audit log from its first entry to its last.

    Changes nothing and may run beside the server. Exit code 1 if an entry was changed, taken out or put in between, or
    if the head of an earlier run is not in the log any more.
    """
    from headgate.process.audit import verify_audit

    found = asyncio.run(verify_audit(settings_from(data_dir=data_dir, config=config), _bytes(head)))
    rows = [(each.id, report.entries, report.head.hex()) for each, report in found]
    print_table(("ORGANIZATION", "ENTRIES", "HEAD"), rows)
    broken = [(each, report) for each, report in found if report.broken_at is not None]
    for each, report in broken:
        print(f"broken: the chain of {each.id} breaks at entry {report.broken_at}: it is not what was written there")
    lost = head is not None and not any(report.knows for _, report in found)
    if lost:
        print(f"broken: the head {head} is in no log: its end was cut off, or it was written anew")
    if broken or lost:
        sys.exit(1)


def _bytes(head: str | None) -> bytes | None:
    try:
        found = None if head is None else bytes.fromhex(head)
    except ValueError:
        found = b""
    if found is not None and len(found) != 32:
        raise InvalidRequest("--head is 64 hexadecimal digits, as `headgate audit verify` prints them.")
    return found
