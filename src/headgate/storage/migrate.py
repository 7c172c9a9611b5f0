"""Bring a database to the schema this version of Headgate was written for."""

from functools import cache
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from headgate.base.errors import Conflict
from headgate.storage.database import Database

SCRIPTS: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 0x68656164  # any number, the same in every process that migrates


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return config


def newest() -> str:
    """The revision this version of Headgate needs."""
    head = _scripts().get_current_head()
    assert head is not None
    return head


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


async def current(database: Database) -> str | None:
    """The revision the database is at; None if it is empty."""
    return await database.read(_current)


async def upgrade(database: Database) -> str:
    """Run what is missing, in one transaction, and return the revision reached.

    Processes that start together wait for one another. Raises `Conflict` when the database is newer than the code.
    """
    return await database.write(upgrade_within)


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def upgrade_within(connection: Connection) -> str:
    """The same within a transaction, with which it comes to be or not."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    before = _current(connection)
    if before == newest():
        return newest()
    if before is not None and before not in {script.revision for script in _scripts().walk_revisions()}:
        raise Conflict(
            f"The database is at revision {before}, which this version of Headgate does not know: "
            "it was written by a newer one. Run that version, or restore a backup."
        )
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return newest()


async def require_newest(database: Database) -> None:
    """Raises `Conflict` when the schema is not the one this version was written for."""
    await database.read(require_newest_within)


def require_newest_within(connection: Connection) -> None:
    """The same of the database that is connected to."""
    found = _current(connection)
    if found != newest():
        raise Conflict(f"The database is at revision {found or 'none'} and {newest()} is needed. Run: headgate migrate")
