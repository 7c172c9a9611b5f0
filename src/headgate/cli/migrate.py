"""`headgate migrate`: the database, brought to this version's schema, or to another engine."""

import asyncio
import sys

import typer

from headgate.cli.options import Config, DataDir, settings_from
from headgate.cli.table import print_table

app = typer.Typer()


@app.callback(invoke_without_command=True)
def migrate(context: typer.Context, data_dir: DataDir = None, config: Config = None) -> None:
    """Bring the database to the schema of this version. With SQLite the server must be stopped."""
    if context.invoked_subcommand is not None:
        if data_dir is not None or config is not None:
            raise typer.BadParameter(f"options go behind `{context.invoked_subcommand}`")
        return
    from headgate.process.look import migrate as run

    before, after = asyncio.run(run(settings_from(data_dir=data_dir, config=config)))
    print(
        f"The schema was at {before or 'nothing'} and is at {after}."
        if before != after
        else f"The schema is at {after}."
    )


@app.command("sqlite-to-postgres")
def sqlite_to_postgres(data_dir: DataDir = None, config: Config = None) -> None:
    """Move the database of the data directory to the PostgreSQL that HEADGATE_DATABASE_URL names, all or nothing.

    The server must be stopped and the new database empty. Every row is compared with the one it came from, and what
    only the journal knows is settled. The old database stays as it is.
    """
    from headgate.process.move import move

    moved = asyncio.run(move(settings_from(data_dir=data_dir, config=config), _tell))
    rows = [(each.table, f"{each.rows}", each.digest[:16]) for each in moved.tables if each.rows]
    print_table(("TABLE", "ROWS", "SHA-256"), rows)
    print(
        f"All {sum(each.rows for each in moved.tables)} rows are the same in both databases. "
        f"From the journal: {moved.from_journal} calls, {moved.recovered} of them recovered.\n"
        "Start the server with HEADGATE_DATABASE_URL, the same data directory and the same master key."
    )


def _tell(table: str, rows: int) -> None:
    if rows:
        print(f"{table}: {rows}", file=sys.stderr, flush=True)
