"""What is old goes; what it cost stays counted, and `verify` finds the books right before and after."""

from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select

from headgate.base.clock import NANOS_PER_SECOND
from headgate.ledger.record import UsageRecord
from headgate.ledger.recovery import Replay
from headgate.storage import forgetting, kept_retention, retention
from headgate.storage.alert_tables import allowance_use
from headgate.storage.analytics_tables import usage_cell
from headgate.storage.answer_tables import answer_purge
from headgate.storage.batch_tables import CORRECTED, GIVEN_UP, OPEN, batch
from headgate.storage.database import Database
from headgate.storage.every_allowance import every_allowance
from headgate.storage.kept_tables import kept_object
from headgate.storage.log_tables import sent_log
from headgate.storage.partitions import Month, month_of, months
from headgate.storage.past_use import past_uses
from headgate.storage.retention import DAY, Keep, Retention
from headgate.storage.tables import usage_record
from headgate.storage.verification import Findings, verify
from tests.support.alerting import Alerting, alerting

USD = 10**9
POLICY = {
    "name": "per model",
    "conditions": [{"key": "api_key", "value": "*"}],
    "group_by": [{"key": "model"}],
    "type": "cost",
    "credit_limit": 500,
}


@pytest.fixture
async def books(database: Database) -> AsyncIterator[Alerting]:
    async with alerting(database) as made:
        yield made


def failed(what: str, error: BaseException) -> None:
    raise error


async def turn(books: Alerting, **keep: Any) -> None:
    await Retention(books.database, books.clock, Keep(**keep), failed).turn()


async def looked_at(books: Alerting) -> Findings:
    return await books.database.read(lambda connection: verify(connection, Replay(), books.clock.now()))


async def restored(books: Alerting) -> dict[str, int]:
    """What a start would count, by allowance."""

    def read(connection: Connection) -> dict[str, int]:
        found = past_uses(connection, list(every_allowance(connection)), books.clock.now())
        return {name: sum(amount for _, amount in uses) for name, uses in found.items()}

    return await books.database.read(read)


async def count(books: Alerting, table: Any) -> int:
    return await books.database.read(lambda c: c.execute(select(func.count()).select_from(table)).scalar_one())


def of_a_year(books: Alerting, key: str) -> list[UsageRecord]:
    """One call a day, a dollar each: the last one now."""
    now = books.clock.now()
    lines = (("output", 1, USD, USD),)
    return [books.record(key, "1", at=now - day * DAY, cost_lines=lines) for day in range(365)]


async def test_budgets_know_what_records_no_longer_tell(books: Alerting, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lifetime budget, one of an organization's, one of a policy's group and a month's: sums and `verify` are the
    same before and after, and new calls count on top."""
    monkeypatch.setattr(forgetting, "AT_ONCE", 50)
    lifetime, monthly = {"credit_limit": 1_000}, {"credit_limit": 400, "type": "requests", "periodic_reset": "monthly"}
    key = await books.key(lifetime, monthly)
    await books.world.ok("PUT", "/v1/admin/organisation", {"usage_limits": lifetime})
    await books.world.ok("POST", "/v1/policies/usage-limits", POLICY)
    await books.write(of_a_year(books, key))
    before = await restored(books)
    assert before[f"api_key:{key}:cost:lifetime"] == 365 * USD
    assert (await looked_at(books)).differences == []

    await turn(books, usage=60)
    left = await count(books, usage_record)
    assert 60 < left < 60 + 32 if books.database.facts().engine == "postgresql" else left == 61
    assert await restored(books) == before
    found = await looked_at(books)
    assert (found.records, found.differences) == (left, [])

    await turn(books, usage=60)
    await books.spend(key, "3", cost_lines=(("output", 3, USD, 3 * USD),))
    assert (await restored(books))[f"api_key:{key}:cost:lifetime"] == 368 * USD
    assert (await looked_at(books)).differences == []


async def test_a_budget_without_a_sum_gets_one_before_its_records_go(books: Alerting) -> None:
    """It was set after the last call, so that nothing is kept of it yet."""
    key = await books.key()
    await books.write(of_a_year(books, key))
    await books.world.ok("PUT", f"/v1/api-keys/{key}", {"usage_limits": [{"credit_limit": 1_000}]})
    assert await count(books, allowance_use) == 0
    before = await restored(books)
    assert sum(before.values()) == 365 * USD
    await turn(books, usage=60)
    assert await restored(books) == before
    assert (await looked_at(books)).differences == []


async def test_without_a_setting_nothing_goes(books: Alerting) -> None:
    """Usage records are kept for good unless somebody says otherwise."""
    key = await books.key({"credit_limit": 1_000})
    await books.write(of_a_year(books, key))
    await turn(books)
    assert await count(books, usage_record) == 365


async def test_rollups_sent_logs_and_purges_go_by_their_own_days(
    books: Alerting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In steps; the records stay."""
    monkeypatch.setattr(retention, "AT_ONCE", 7)
    key = await books.key()
    await books.write(of_a_year(books, key))
    now = books.clock.now()
    of = {"organization_id": books.world.root.organization_id}
    whose = {**of, "workspace_id": "w", "key_id": key, "trace_id": ""}
    logs = [{"id": f"log_{day}", **whose, "at": now - day * DAY, "sealed": b""} for day in range(30)]
    purges = [{"id": f"prg_{day}", **of, "version": day, "at": now - day * DAY} for day in range(5)]

    def fill(connection: Connection) -> None:
        connection.execute(insert(sent_log), logs)
        connection.execute(insert(answer_purge), purges)

    await books.database.write(fill)
    await turn(books, rollups=90, logs=10)
    assert await count(books, usage_record) == 365
    assert await count(books, sent_log) == 11
    assert await count(books, answer_purge) == 3
    cells = await books.database.read(lambda c: c.execute(select(func.min(usage_cell.c.bucket))).scalar_one())
    assert now - 91 * DAY <= cells * NANOS_PER_SECOND <= now - 89 * DAY


async def test_responses_go_by_their_own_days_and_batches_with_the_records(
    books: Alerting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In steps. A file is somebody's until it is deleted, and a batch that is open stays."""
    monkeypatch.setattr(kept_retention, "AT_ONCE", 7)
    key, now = await books.key(), books.clock.now()
    of = {"integration_id": "int", "organization_id": books.world.root.organization_id, "workspace_id": "w"}
    kept = [
        {**of, "id": f"{kind}_{day}", "kind": kind, "key_id": key, "model": "m", "document": "", "created_at": at}
        for kind in ("response", "message", "container", "file", "batch")
        for day in range(60)
        for at in [now - day * DAY]
    ]
    charged: list[dict[str, Any]] = [
        {**of, "id": f"batch_{day}", "request_id": f"req_{day}", "started_at": now - day * DAY, "status": status}
        | {"format": "openai_chat", "price": "", "allowances": [], "next_at": 0}
        for day, status in ((10, CORRECTED), (50, CORRECTED), (51, GIVEN_UP), (52, OPEN))
    ]

    def fill(connection: Connection) -> None:
        connection.execute(insert(kept_object), kept)
        connection.execute(insert(batch), charged)

    await books.database.write(fill)

    async def left(kind: str) -> int:
        statement = select(func.count()).select_from(kept_object).where(kept_object.c.kind == kind)
        return int(await books.database.read(lambda connection: connection.execute(statement).scalar_one()))

    await turn(books, responses=30)
    assert [await left(kind) for kind in ("response", "message", "container", "file", "batch")] == [31, 31, 31, 60, 60]
    await turn(books, usage=45, responses=30)
    assert [await left(kind) for kind in ("response", "message", "container", "file", "batch")] == [31, 31, 31, 60, 46]
    statement = select(batch.c.id).order_by(batch.c.id)
    assert await books.database.read(lambda c: c.execute(statement).scalars().all()) == ["batch_10", "batch_52"]


async def test_records_lie_in_the_partition_of_their_month(books: Alerting) -> None:
    """Made ahead; what came before its month was made is moved there; written again, it is not written twice."""
    if books.database.facts().engine != "postgresql":
        pytest.skip("SQLite has no partitions")
    key = await books.key({"credit_limit": 1_000})
    records = of_a_year(books, key)
    await books.write(records)

    def lying(connection: Connection) -> dict[str, int]:
        found = connection.exec_driver_sql("SELECT tableoid::regclass::text, count(*) FROM usage_record GROUP BY 1")
        return {str(name): int(number) for name, number in found}

    assert await books.database.read(lying) == {"usage_record_default": 365}
    await turn(books)
    expected: dict[str, int] = {}
    for each in records:
        name = month_of(each.started_at).name
        expected[name] = expected.get(name, 0) + 1
    assert await books.database.read(lying) == expected
    there: list[Month] = await books.database.read(months)
    assert [each.name[-7:] for each in there][-3:] == ["2027_01", "2027_02", "2027_03"]
    assert all(one.end == other.start for one, other in pairwise(there))
    await books.write(records)
    assert await books.database.read(lying) == expected
    assert (await looked_at(books)).differences == []
