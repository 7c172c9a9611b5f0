"""Changes are told the moment they are committed, and the teller is found again when its connection is gone."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from headgate.base.errors import HeadgateError
from headgate.storage import notices
from headgate.storage.database import open_database
from headgate.storage.migrate import upgrade
from headgate.storage.notices import Notices
from headgate.storage.postgres import PostgresDatabase
from headgate.storage.stores import SqlTransactions
from tests.support.databases import create_postgres_database


@pytest.fixture
async def url(postgres_url: str) -> str:
    return await create_postgres_database(postgres_url)


@pytest.fixture
async def database(url: str) -> AsyncIterator[PostgresDatabase]:
    opened = await open_database(url)
    assert isinstance(opened, PostgresDatabase)
    await upgrade(opened)
    yield opened
    await opened.close()


async def test_a_commit_is_heard_and_an_undone_change_is_not(database: PostgresDatabase, url: str) -> None:
    """From another process's connection."""
    woken = asyncio.Event()
    listening = Notices(database, woken.set, lambda what, error: None)
    listening.start()
    other = await open_database(url)
    try:
        await woken.wait()  # it listens
        woken.clear()

        def undone(stores: object) -> None:
            stores.next_version()  # type: ignore[attr-defined]
            raise LookupError

        with pytest.raises(LookupError):
            await SqlTransactions(other).write(undone)
        await database.read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar_one())
        assert not woken.is_set()
        await SqlTransactions(other).write(lambda stores: stores.next_version())
        await asyncio.wait_for(woken.wait(), 5)
    finally:
        await listening.close()
        await other.close()


async def test_it_listens_again_once_its_connection_was_cut(
    database: PostgresDatabase, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And wakes whoever may have missed something meanwhile."""
    monkeypatch.setattr(notices, "AGAIN_S", 0.01)
    woken = asyncio.Event()
    listening = Notices(database, woken.set, lambda what, error: None)
    listening.start()
    hand = await asyncpg.connect(url)
    try:
        await woken.wait()
        woken.clear()
        await hand.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'"
        )
        await asyncio.wait_for(woken.wait(), 5)
        woken.clear()
        await SqlTransactions(database).write(lambda stores: stores.next_version())
        await asyncio.wait_for(woken.wait(), 5)
    finally:
        await hand.close()
        await listening.close()


async def test_a_server_that_is_away_is_reported(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In Headgate's own words, and tried again."""
    monkeypatch.setattr(notices, "AGAIN_S", 0.01)
    opened = await open_database(url)
    assert isinstance(opened, PostgresDatabase)
    opened._how["port"] = 1
    told: list[BaseException] = []
    twice = asyncio.Event()

    def failed(what: str, error: BaseException) -> None:
        told.append(error)
        if len(told) == 2:
            twice.set()

    listening = Notices(opened, lambda: None, failed)
    listening.start()
    try:
        await asyncio.wait_for(twice.wait(), 5)
    finally:
        await listening.close()
        await opened.close()
    assert all(isinstance(each, HeadgateError) for each in told)
