"""Transactions, the same on both engines."""

import asyncio
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text, update
from sqlalchemy.exc import DBAPIError

from headgate.base.errors import InvalidRequest, Unavailable
from headgate.storage.database import Database, open_database
from headgate.storage.sqlite import WAL_RACE_MENDED, open_sqlite
from headgate.storage.tables import counter
from tests.support.services import free_port


def _value(connection: Connection) -> int:
    value: int = connection.execute(select(counter.c.value)).scalar_one()
    return value


def _add(connection: Connection) -> None:
    connection.execute(update(counter).values(value=counter.c.value + 1))


async def test_a_write_that_raises_changes_nothing(database: Database) -> None:
    """The exception comes out as it is, the transaction is undone."""

    def work(connection: Connection) -> None:
        _add(connection)
        raise LookupError("after the statement")

    with pytest.raises(LookupError):
        await database.write(work)
    assert await database.read(_value) == 0


async def test_a_read_cannot_write(database: Database) -> None:
    """The database itself refuses it."""
    with pytest.raises(DBAPIError):
        await database.read(_add)
    assert await database.read(_value) == 0


@pytest.mark.parametrize("name", ["a\0b", "\ud800"], ids=["NUL", "surrogate"])
async def test_what_is_no_text_is_nobody_s(database: Database, name: str) -> None:
    """Looked up, it is refused or not found; it is no failure of the database."""
    query = select(counter.c.value).where(counter.c.name == name)
    with suppress(InvalidRequest):
        assert await database.read(lambda connection: connection.execute(query).scalar()) is None


async def test_concurrent_writes_are_all_counted(database: Database) -> None:
    """No lost update, no busy error."""
    await asyncio.gather(*(database.write(_add) for _ in range(50)))
    assert await database.read(_value) == 50


async def test_a_read_sees_one_moment(database: Database) -> None:
    """A write that is committed between two statements of a read is in neither."""
    loop = asyncio.get_running_loop()
    if database.facts().engine == "sqlite":
        first_done, written = threading.Event(), threading.Event()

        def twice(connection: Connection) -> tuple[int, int]:
            before = _value(connection)
            first_done.set()
            assert written.wait(20)
            return before, _value(connection)

        reading = asyncio.ensure_future(database.read(twice))  # noqa: TID251 - kept, and awaited below
        await loop.run_in_executor(None, first_done.wait, 20)
        await database.write(_add)
        written.set()
        assert await reading == (0, 0)
    else:
        snapshots = database._snapshots  # type: ignore[attr-defined]
        async with snapshots.begin() as connection:
            before = await connection.run_sync(_value)
            await database.write(_add)
            assert (before, await connection.run_sync(_value)) == (0, 0)
    assert await database.read(_value) == 1


async def test_facts_name_the_engine_and_its_version(database: Database) -> None:
    """A version of SQLite with the WAL race comes with a sentence for the operator, and is not logged."""
    facts = database.facts()
    if facts.engine == "sqlite":
        assert facts.version == sqlite3.sqlite_version
        assert bool(facts.warnings) == (sqlite3.sqlite_version_info < WAL_RACE_MENDED)
    else:
        assert facts.engine == "postgresql"
        assert facts.version.startswith("18.")
        assert facts.warnings == ()


@pytest.mark.parametrize("url", ["", "headgate.db", "mysql://h/db", "sqlite://", "sqlite:///:memory:"])
async def test_a_url_that_is_neither_is_refused(url: str) -> None:
    """By the name of the setting."""
    with pytest.raises(InvalidRequest) as refused:
        await open_database(url)
    assert refused.value.param == "database_url"


async def test_a_server_that_is_not_there_is_told_at_once() -> None:
    """When it is opened, not at the first call; and without the password."""
    with pytest.raises(Unavailable) as refused:
        await open_database(f"postgresql://postgres:hunter2@127.0.0.1:{free_port()}/postgres")
    assert "hunter2" not in str(refused.value)


async def test_a_folder_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    """The same for a file that cannot be made."""
    with pytest.raises(Unavailable):
        await open_database(f"sqlite:///{tmp_path}/nowhere/headgate.db")


async def test_a_locked_file_is_unavailable(tmp_path: Path) -> None:
    """Another program that keeps the write lock: reads go on, a write says so, and later works."""
    path = tmp_path / "headgate.db"
    database = await open_sqlite(str(path), busy_timeout_ms=50)
    other = sqlite3.connect(path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable):
            await database.write(lambda c: c.execute(text("CREATE TABLE t (x)")).close())
        assert await database.read(lambda c: c.execute(text("SELECT 1")).scalar_one()) == 1
        other.execute("ROLLBACK")
        await database.write(lambda c: c.execute(text("CREATE TABLE t (x)")).close())
    finally:
        other.close()
        await database.close()


async def test_sqlite_is_set_up_as_the_house_needs_it(tmp_path: Path) -> None:
    """WAL; the writer checkpoints and waits for the disk; readers do neither and cannot write; foreign keys hold."""
    database = await open_sqlite(str(tmp_path / "headgate.db"))

    def pragmas(connection: Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "wal_autocheckpoint", "query_only", "foreign_keys")
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names]

    try:
        assert await database.write(pragmas) == ["wal", 2, 1000, 0, 1]
        reader = await database.read(pragmas)
        assert (reader[0], *reader[2:]) == ("wal", 0, 1, 1)
    finally:
        await database.close()


async def test_a_second_process_leaves_checkpoints_alone(tmp_path: Path) -> None:
    """With `checkpointer=False` also its writer does not checkpoint by itself."""
    database = await open_database(f"sqlite:///{tmp_path}/headgate.db", checkpointer=False, synchronous="NORMAL")
    try:
        pragma = "PRAGMA wal_autocheckpoint"
        assert await database.write(lambda c: c.exec_driver_sql(pragma).scalar_one()) == 0
    finally:
        await database.close()


async def test_what_is_committed_survives_reopening(database_url: str) -> None:
    """Documents, bytes and 64-bit integers as well."""
    for expected in (None, 2**62):
        database = await open_database(database_url)
        try:
            if expected is None:
                await database.write(lambda c: c.execute(text("CREATE TABLE t (x BIGINT)")).close())
                await database.write(lambda c: c.execute(text("INSERT INTO t VALUES (:x)"), {"x": 2**62}).close())
            else:
                assert await database.read(lambda c: c.execute(text("SELECT x FROM t")).scalar_one()) == expected
        finally:
            await database.close()
