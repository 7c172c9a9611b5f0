"""The migrations that ship with the package."""

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from headgate.base.errors import Conflict
from headgate.storage.database import Database, open_database
from headgate.storage.migrate import current, newest, upgrade
from headgate.storage.schema import metadata


def _differences(connection: Connection) -> list[object]:
    """But for the partitions of usage records, which are as their whole is."""

    def looked_at(name: str | None, kind: str, parents: object) -> bool:
        return kind != "table" or not (name or "").startswith("usage_record_")

    opts = {"compare_type": True, "compare_server_default": True, "include_name": looked_at}
    context = MigrationContext.configure(connection, opts=opts)
    return list(compare_metadata(context, metadata))


async def test_upgrade_of_an_empty_database_gives_exactly_the_tables(empty_database: Database) -> None:
    """After `upgrade` the database and the table definitions do not differ, on either engine."""
    assert await current(empty_database) is None
    assert await upgrade(empty_database) == newest()
    assert await empty_database.read(_differences) == []
    assert await current(empty_database) == newest()


async def test_a_difference_would_be_seen(database: Database) -> None:
    """The comparison above is no rubber stamp: a column too many is found."""
    await database.write(lambda c: c.execute(text("ALTER TABLE workspace ADD COLUMN stray TEXT")))
    assert await database.read(_differences) != []


async def test_upgrade_twice_changes_nothing(database: Database) -> None:
    """Every start runs the upgrade; the second finds nothing to do."""
    assert await upgrade(database) == newest()
    assert await database.read(lambda c: c.execute(text("SELECT value FROM counter")).scalars().all()) == [0]


async def test_processes_that_start_together_migrate_once(database_url: str) -> None:
    """Two processes on one empty database both succeed: the second waits for the first."""
    databases = [await open_database(database_url) for _ in range(2)]
    try:
        assert await asyncio.gather(*map(upgrade, databases)) == [newest(), newest()]
    finally:
        for each in databases:
            await each.close()


async def test_a_newer_database_is_refused(database: Database) -> None:
    """Code never runs on a schema it does not know: the message says what to do."""
    await database.write(lambda c: c.execute(text("UPDATE alembic_version SET version_num = 'v9999'")))
    with pytest.raises(Conflict) as refused:
        await upgrade(database)
    assert "v9999" in refused.value.message
