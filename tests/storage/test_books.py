"""Ledger, journal and usage writer as one: what is settled is written, once, and first to disk."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from headgate.base.clock import SystemClock
from headgate.base.errors import Unavailable
from headgate.ledger.allowance import LIFETIME, Allowance, Amounts, Resource, Scope
from headgate.ledger.hold import Denied, Held
from headgate.ledger.ledger import LocalLedger
from headgate.storage import usage_queries
from headgate.storage.books import Books
from headgate.storage.database import Database, open_database
from headgate.storage.journal import FileJournal
from headgate.storage.migrate import upgrade
from headgate.storage.usage_writer import UsageWriter
from tests.support.ledger import record

BUDGET = Allowance("budget", Scope("api_key", "key_1"), Resource.COST, LIFETIME, cap=1_000)


class Desk:
    """Real books over a real journal and database."""

    def __init__(self, database: Database, directory: Path, *, sync: bool, most_waiting: int) -> None:
        self.database = database
        self.journal, _ = FileJournal.open(directory, sync=sync)
        self.failures: list[str] = []
        self.writer = UsageWriter(
            database,
            on_written=self.journal.checkpoint,
            on_failure=lambda what, error: self.failures.append(f"{what}: {error}"),
            most_waiting=most_waiting,
        )
        self.books = Books(LocalLedger(SystemClock(), self.journal), self.journal, self.writer)

    async def recorded(self, request_id: str) -> int | None:
        """The cost in the database."""
        await self.writer.flush()
        found = await self.database.read(lambda connection: usage_queries.get(connection, request_id))
        return None if found is None else found.cost

    def call(self, request_id: str, held: int, cost: int) -> None:
        """A whole call."""
        assert isinstance(self.books.hold(request_id, [BUDGET], Amounts(cost=held)), Held)
        self.books.dispatch(request_id, record(request_id))
        self.books.settle(request_id, Amounts(cost=cost), record(request_id, cost=cost))


@pytest.fixture
async def desk(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    options = {"sync": False, "most_waiting": 100, **getattr(request, "param", {})}
    database = await open_database(f"sqlite:///{tmp_path}/headgate.db")
    await upgrade(database)
    desk = Desk(database, tmp_path / "journal", **options)
    yield desk
    await desk.writer.close()
    desk.journal.close()
    await database.close()
    assert desk.failures == []


async def test_a_settled_call_is_recorded_and_counted_once(desk: Desk) -> None:
    """A second settlement, with another amount even, changes neither the record nor what is left."""
    desk.writer.start()
    desk.call("a", held=900, cost=400)
    desk.books.settle("a", Amounts(cost=1), record("a", cost=1))
    assert await desk.recorded("a") == 400
    assert isinstance(desk.books.hold("b", [BUDGET], Amounts(cost=601)), Denied)
    assert isinstance(desk.books.hold("b", [BUDGET], Amounts(cost=600)), Held)
    desk.books.void("b")


async def test_a_voided_call_is_not_recorded(desk: Desk) -> None:
    """Nothing was billed: no record, and all of the budget is free again."""
    desk.writer.start()
    desk.books.hold("a", [BUDGET], Amounts(cost=1_000))
    desk.books.void("a")
    assert await desk.recorded("a") is None
    assert isinstance(desk.books.hold("b", [BUDGET], Amounts(cost=1_000)), Held)
    desk.books.void("b")


@pytest.mark.parametrize("desk", [{"most_waiting": 2}], indirect=True)
async def test_no_call_begins_while_too_many_records_wait(desk: Desk) -> None:
    """A database that is away must not let unwritten spending grow without end. It goes on once they are written."""
    desk.call("a", held=1, cost=1)
    desk.call("b", held=1, cost=1)
    with pytest.raises(Unavailable) as caught:
        desk.books.hold("c", [BUDGET], Amounts(cost=1))
    assert (caught.value.code, caught.value.retry_after) == ("database_behind", 1.0)
    desk.writer.start()
    await desk.writer.flush()
    desk.call("c", held=1, cost=1)
    assert await desk.recorded("c") == 1


@pytest.mark.parametrize("desk", [{"sync": True}], indirect=True)
async def test_durable_waits_for_the_disk(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `journal_sync = "group"` a call is not sent before `fsync` has returned, and one answers for many calls."""
    desk.writer.start()
    synced: list[int] = []
    fsync = os.fsync

    def counted(descriptor: int) -> None:
        fsync(descriptor)
        synced.append(descriptor)

    monkeypatch.setattr(os, "fsync", counted)
    for name in "abcdefgh":
        desk.books.hold(name, [BUDGET], Amounts(cost=1))
        desk.books.dispatch(name, record(name))
    assert synced == []
    await asyncio.gather(*(desk.books.durable() for _ in range(8)))
    assert len(synced) == 1
    for name in "abcdefgh":
        desk.books.void(name)
