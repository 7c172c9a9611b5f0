"""The migrations that ship with the package."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from headgate.base.errors import Conflict
from headgate.storage.database import Database, open_database
from headgate.storage.migrate import _config, current, newest, upgrade
from headgate.storage.schema import metadata

SHARED_SINCE = "v0017"
"""Since then processes of two versions may run on one database."""
Columns = dict[tuple[str, str], Any]


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


async def test_a_migration_only_adds(empty_database: Database) -> None:
    """Processes of the version before write on beside it: all they know stays, and what is new need not be given."""
    script = ScriptDirectory.from_config(_config())
    steps = [each.revision for each in script.walk_revisions(SHARED_SINCE, "heads")][::-1]
    assert (steps[0], steps[-1]) == (SHARED_SINCE, newest())
    shapes = [await empty_database.write(lambda c, to=each: _upgraded(c, to)) for each in steps]  # type: ignore[misc]
    for before, after in pairwise(shapes):
        assert _broken(before, after) == []


def test_a_migration_that_breaks_the_version_before_would_be_seen() -> None:
    """What is removed, narrowed, or has to be given."""
    one = {("t", "old"): {"type": "TEXT", "nullable": True, "default": None}}
    needed = {("t", "new"): {"type": "TEXT", "nullable": False, "default": None}}
    narrowed = {("t", "old"): {"type": "TEXT", "nullable": False, "default": None}}
    assert _broken(one, {}) == ["t.old is gone"]
    assert _broken(one, narrowed) == ["t.old takes less"]
    assert _broken(one, one | needed) == ["t.new has no default"]
    assert _broken({}, needed) == []  # nobody else writes to a table that is new


def _upgraded(connection: Connection, revision: str) -> Columns:
    """The columns there are then, but for those of partitions."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    found = inspect(connection)
    return {
        (table, column["name"]): column | {"type": str(column["type"])}
        for table in found.get_table_names()
        if not table.startswith("usage_record_")
        for column in found.get_columns(table)
    }


def _broken(before: Columns, after: Columns) -> list[str]:
    known = {table for table, _ in before}
    found = []
    for (table, name), column in before.items():
        now = after.get((table, name))
        if now is None:
            found.append(f"{table}.{name} is gone")
        elif now["type"] != column["type"] or (column["nullable"] and not now["nullable"]):
            found.append(f"{table}.{name} takes less")
        elif column["default"] is not None and now["default"] is None:
            found.append(f"{table}.{name} has no default")
    found += [
        f"{table}.{name} has no default"
        for (table, name), column in after.items()
        if table in known and (table, name) not in before and not column["nullable"] and column["default"] is None
    ]
    return found
