"""Usage records on their way to the database: none lost, none doubled."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, func, select, text

from headgate.base.errors import Unavailable
from headgate.ledger.record import Outcome, UsageRecord
from headgate.storage import usage_queries, usage_writer
from headgate.storage.database import Database, DatabaseFacts
from headgate.storage.tables import usage_record
from headgate.storage.usage_queries import UsageFilter, UsageTotals
from headgate.storage.usage_writer import BATCH, UsageWriter

T = TypeVar("T")
START = 1_800_000_000_000_000_000


def record(number: int, **fields: Any) -> UsageRecord:
    """A record with something in every field."""
    values: dict[str, Any] = {
        "request_id": f"req_{number:026d}",
        "trace_id": f"trace-{number}",
        "organization_id": "org_1",
        "workspace_id": "ws_1",
        "key_id": "key_1",
        "tenant_id": "tnt_1",
        "integration_id": "int_1",
        "provider": "openai-prod",
        "provider_kind": "openai",
        "endpoint": "/v1/chat/completions",
        "model_asked": "@openai-prod/gpt-4o",
        "model": "gpt-4o",
        "stream": True,
        "started_at": START + number,
        "first_byte_after": 5,
        "ended_after": 9,
        "outcome": Outcome.OK,
        "status": 200,
        "attempts": 2,
        "usage": {"input": 10, "cache_read": 5, "output": 7, "web_search": 1},
        "usage_flags": ("negative:prompt_tokens",),
        "usage_raw": '{"prompt_tokens":15}',
        "cost": 1_000,
        "cost_lines": (("input", 10, 2_500_000_000, 25_000),),
        "price_id": "openai:gpt-4o:1",
        "metadata": {"customer": "ü"},
        "error": "",
    }
    return UsageRecord(**{**values, **fields})


class Troubled:
    """The database, and what happens before each write."""

    def __init__(self, database: Database) -> None:
        self._inner = database
        self.writes = 0
        self.before: Callable[[int], None] = lambda number: None

    def facts(self) -> DatabaseFacts:
        return self._inner.facts()

    async def read(self, function: Callable[[Connection], T]) -> T:
        return await self._inner.read(function)

    async def write(self, function: Callable[[Connection], T]) -> T:
        self.writes += 1
        self.before(self.writes)
        return await self._inner.write(function)

    async def close(self) -> None:
        await self._inner.close()


class Told:
    """What the writer reports."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.failures: list[tuple[str, BaseException]] = []

    def on_written(self, request_ids: Sequence[str]) -> None:
        self.written += request_ids

    def on_failure(self, what: str, error: BaseException) -> None:
        self.failures.append((what, error))


@asynccontextmanager
async def writing(database: Database, **options: Any) -> AsyncIterator[tuple[UsageWriter, Told]]:
    told = Told()
    writer = UsageWriter(database, on_written=told.on_written, on_failure=told.on_failure, **options)
    writer.start()
    try:
        yield writer, told
    finally:
        await writer.close(timeout_s=0.2)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-offs of milliseconds: the tests wait for what happens, not for time."""
    monkeypatch.setattr(usage_writer, "FIRST_BACKOFF_S", 0.001)
    monkeypatch.setattr(usage_writer, "LONGEST_BACKOFF_S", 0.002)


def rows(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(usage_record)).scalar_one()


async def test_a_record_reads_back_as_it_was(database: Database) -> None:
    """Every field, on both engines; one that is not there is not found."""
    async with writing(database) as (writer, told):
        writer.add(record(1))
        writer.add(record(2, tenant_id=None, first_byte_after=None, outcome=Outcome.RECOVERED, metadata={}))
        await writer.flush()
        assert told.written == [record(1).request_id, record(2).request_id]
    assert await database.read(lambda c: usage_queries.get(c, record(1).request_id)) == record(1)
    second = await database.read(lambda c: usage_queries.get(c, record(2).request_id))
    assert second is not None
    assert (second.tenant_id, second.first_byte_after, second.outcome) == (None, None, Outcome.RECOVERED)
    assert await database.read(lambda c: usage_queries.get(c, "req_none")) is None
    assert await database.read(lambda c: usage_queries.get(c, "req\0none")) is None


async def test_records_are_written_in_batches_and_once(database: Database) -> None:
    """Ten batches' worth, every one of them given twice: as many rows as calls, in few transactions."""
    troubled = Troubled(database)
    count = 10 * BATCH // 2
    async with writing(troubled) as (writer, told):
        for number in range(count):
            writer.add(record(number))
            writer.add(record(number, cost=999))
        assert writer.waiting == 2 * count
        await writer.flush()
        assert (writer.waiting, told.failures) == (0, [])
        assert troubled.writes == 2 * count // BATCH
    assert await database.read(rows) == count
    totals = await database.read(lambda c: usage_queries.totals(c, UsageFilter()))
    assert totals == UsageTotals(count, 15 * count, 7 * count, 1_000 * count)


async def test_records_wait_while_the_database_is_away(database: Database) -> None:
    """Nothing is lost, nothing is told as written before it is, and every failure is reported."""
    troubled = Troubled(database)

    def away(number: int) -> None:
        if number <= 3:
            raise Unavailable("away")

    troubled.before = away
    async with writing(troubled) as (writer, told):
        writer.add(record(1))
        await writer.flush()
        assert [type(error) for _, error in told.failures] == [Unavailable] * 3
        assert told.written == [record(1).request_id]
    assert await database.read(rows) == 1


async def test_a_write_that_failed_after_its_commit_is_not_doubled(database: Database) -> None:
    """The answer of the database was lost, so the batch is written again: one row each."""

    class AnswerLost(Troubled):
        async def write(self, function: Callable[[Connection], T]) -> T:
            result = await super().write(function)
            if self.writes == 1:
                raise Unavailable("the connection broke after the commit")
            return result

    async with writing(AnswerLost(database)) as (writer, told):
        for number in range(5):
            writer.add(record(number))
        await writer.flush()
        assert len(told.failures) == 1
    assert await database.read(rows) == 5


async def test_a_record_the_database_refuses_is_set_aside(database: Database) -> None:
    """It is reported by its id and never told as written, so the journal keeps it; the others go through. Who looks
    into the past is given it as one that the database does not have."""
    async with writing(database) as (writer, told):
        for each in (record(1), record(2, usage={"input": 2**70}), record(3)):
            writer.add(each)
        await writer.flush()
        assert told.written == [record(1).request_id, record(3).request_id]
        (failure,) = told.failures
        assert record(2).request_id in failure[0]
        assert writer.waiting == 0
        async with writer.paused() as unwritten:
            assert [each.request_id for each in unwritten] == [record(2).request_id]
    assert await database.read(rows) == 2


async def test_text_that_no_database_takes_is_mended(database: Database) -> None:
    """NUL and halves of surrogate pairs come from clients and providers; a usage record is not lost over them."""
    nasty = record(1, error="a\0b", trace_id="\ud800", usage_raw="x\0", metadata={"k\0": "v\udfff", "emoji": "😀"})
    async with writing(database) as (writer, told):
        writer.add(nasty)
        await writer.flush()
        assert told.failures == []
    found = await database.read(lambda c: usage_queries.get(c, nasty.request_id))
    assert found is not None
    assert (found.error, found.trace_id) == ("a\ufffdb", "\ufffd")
    assert found.metadata == {"k\ufffd": "v\ufffd", "emoji": "😀"}


async def test_a_full_writer_says_so_and_still_takes_what_was_billed(database: Database) -> None:
    """Admission asks `full`; settling never fails."""
    troubled = Troubled(database)

    def away(number: int) -> None:
        raise Unavailable("away")

    troubled.before = away
    async with writing(troubled, most_waiting=3) as (writer, _):
        for number in range(5):
            assert writer.full == (number >= 3)
            writer.add(record(number))
        assert writer.waiting == 5
        troubled.before = lambda number: None
        await writer.flush()
        assert not writer.full


async def test_close_writes_what_is_left(database: Database) -> None:
    """And, where the database stays away, gives up at its deadline and says how many the journal must keep."""
    writer = UsageWriter(database, on_written=lambda ids: None, on_failure=lambda what, error: None)
    writer.start()
    writer.add(record(1))
    assert await writer.close() == 0
    assert await database.read(rows) == 1

    troubled, told = Troubled(database), Told()

    def away(number: int) -> None:
        raise Unavailable("away")

    troubled.before = away
    writer = UsageWriter(troubled, on_written=told.on_written, on_failure=told.on_failure)
    writer.start()
    writer.add(record(2))
    assert await writer.close(timeout_s=0.05) == 1
    assert "1 usage records stay in the journal" in told.failures[-1][0]


async def test_a_connection_that_is_cut_is_replaced(database: Database, database_url: str) -> None:
    """PostgreSQL ends every connection of the pool: the next write finds a new one."""
    if database.facts().engine != "postgresql":
        pytest.skip("SQLite has no connection to cut")
    await database.write(rows)
    cut = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
               " AND datname = current_database()")  # fmt: skip
    import asyncpg

    other = await asyncpg.connect(database_url)
    try:
        await other.execute(str(cut))
    finally:
        await other.close()
    async with writing(database) as (writer, told):
        writer.add(record(1))
        await writer.flush()
        assert told.written == [record(1).request_id]


async def test_queries_keep_to_their_filter(database: Database) -> None:
    """Latest first; by organization, workspace, tenant, key and time; sums over the same."""
    async with writing(database) as (writer, _):
        writer.add(record(1))
        writer.add(record(2, key_id="key_2", tenant_id="tnt_2"))
        writer.add(record(3, workspace_id="ws_2"))
        writer.add(record(4, organization_id="org_2"))
        await writer.flush()

    async def found(**wanted: Any) -> list[int]:
        records = await database.read(lambda c: usage_queries.recent(c, UsageFilter(**wanted)))
        return [int(each.request_id[4:]) for each in records]

    assert await found() == [4, 3, 2, 1]
    assert await found(organization_id="org_1") == [3, 2, 1]
    assert await found(organization_id="org_1", workspace_id="ws_1") == [2, 1]
    assert await found(tenant_id="tnt_2") == [2]
    assert await found(key_id="key_1", since=START + 2, until=START + 4) == [3]
    assert await database.read(lambda c: usage_queries.recent(c, UsageFilter(), limit=1)) == [
        record(4, organization_id="org_2")
    ]
    none = await database.read(lambda c: usage_queries.totals(c, UsageFilter(key_id="nobody")))
    assert none == UsageTotals(0, 0, 0, 0)
    foreign = UsageFilter(organization_id="org_2")
    assert await database.read(lambda c: usage_queries.get(c, record(1).request_id, foreign)) is None
