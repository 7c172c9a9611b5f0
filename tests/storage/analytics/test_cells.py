"""Sums over usage are those of the records, on both engines, whatever is asked and whatever happened to the writer."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, delete, select, text, update

from headgate.analytics import latency
from headgate.analytics.calls import Calls, Label
from headgate.analytics.points import points_of
from headgate.base.clock import NANOS_PER_SECOND
from headgate.base.errors import InvalidRequest
from headgate.ledger.record import Outcome, UsageRecord
from headgate.storage import usage_rows
from headgate.storage.alert_rows import AlertedRows
from headgate.storage.analytics import cells
from headgate.storage.analytics.cells import Cells
from headgate.storage.analytics.labels import LabelNumbers
from headgate.storage.analytics.reader import SqlUsageReader
from headgate.storage.analytics_tables import WHAT_BY_DAY, usage_cell
from headgate.storage.database import Database
from tests.storage.test_usage_writer import record
from tests.support.administration import NOON, MovedClock

DAY = 86_400 * NANOS_PER_SECOND
EVERYTHING = Calls(organization_id="org_1", since=NOON - 40 * DAY, until=NOON + 1)


async def organization(database: Database, time_zone: str = "UTC") -> None:
    row = "INSERT INTO organization (id, name, time_zone, usage_limits, rate_limits, routing, created_at, updated_at) "
    row += f"VALUES ('org_1', 'One', '{time_zone}', '[]', '[]', '{{}}', 0, 0)"
    await database.write(lambda connection: connection.execute(text(row)))


def some_record(random: Random, number: int) -> UsageRecord:
    user = random.choice(["", "ann", "bob", "Zoë"])
    return record(
        number,
        started_at=NOON - random.randrange(35 * DAY),
        workspace_id=random.choice(["ws_1", "ws_2"]),
        tenant_id=random.choice([None, "tnt_1", "tnt_2"]),
        key_id=random.choice(["key_1", "key_2", "key_3"]),
        model=random.choice(["gpt-4o", "gpt-5"]),
        provider_kind=random.choice(["openai", "azure"]),
        status=random.choice([200, 200, 200, 429, 500]),
        outcome=random.choice([Outcome.OK, Outcome.PROVIDER_ERROR]),
        attempts=random.choice([1, 1, 2]),
        requests=random.choice([1, 1, 0]),
        ended_after=random.randrange(60 * NANOS_PER_SECOND),
        first_byte_after=random.choice([None, random.randrange(9 * NANOS_PER_SECOND)]),
        cost=random.randrange(10**11),
        usage={"input": random.randrange(5_000), "output": random.randrange(900)},
        metadata={"tier": random.choice(["pro", "starter"]), **({"_user": user} if user else {})},
        cache_status=random.choice(["", "HIT", "MISS"]),
        config=random.choice(["", "pc-careful"]),
        prompt=random.choice(["", "greeting"]),
        span_id=random.choice(["", "step-1"]),
    )


async def written(database: Database, records: Sequence[UsageRecord], rows: AlertedRows | None = None) -> None:
    rows = rows or AlertedRows(MovedClock())
    for start in range(0, len(records), 50):
        batch = records[start : start + 50]
        await database.write(lambda connection, batch=batch: rows.insert(connection, batch))  # type: ignore[misc]


def tokens(each: UsageRecord) -> int:
    return each.usage["input"] + each.usage["output"]


QUESTIONS: dict[str, tuple[dict[str, Any], Any]] = {
    "everything": ({}, lambda each: True),
    "a tenant": ({"tenants": ("tnt_1",)}, lambda each: each.tenant_id == "tnt_1"),
    "keys": ({"keys": ("key_1", "key_2")}, lambda each: each.key_id in ("key_1", "key_2")),
    "a workspace": ({"workspaces": ("ws_2",)}, lambda each: each.workspace_id == "ws_2"),
    "metadata": ({"metadata": (("tier", "pro"),)}, lambda each: each.metadata["tier"] == "pro"),
    "a user": ({"users": ("Zoë",)}, lambda each: each.metadata.get("_user") == "Zoë"),
    "a model": ({"models": ("gpt-5",)}, lambda each: each.model == "gpt-5"),
    "services": (
        {"services": (("openai", "gpt-4o"), ("azure", ""))},
        lambda each: each.provider_kind == "azure" or each.model == "gpt-4o",
    ),
    "errors": ({"failed": True}, lambda each: each.status >= 400),
    "rescued": ({"rescued": True, "failed": False}, lambda each: each.attempts > 1 and each.status < 400),
    "a config": ({"configs": ("pc-careful",)}, lambda each: each.config == "pc-careful"),
    "a prompt of a tenant": (
        {"prompts": ("greeting",), "tenants": ("tnt_1",)},
        lambda each: each.prompt == "greeting" and each.tenant_id == "tnt_1",
    ),
    "a span": ({"span_ids": ("step-1",)}, lambda each: each.span_id == "step-1"),
    "hits": ({"cache_statuses": ("HIT",)}, lambda each: each.cache_status == "HIT"),
    "metadata and a model": (
        {"metadata": (("tier", "pro"),), "models": ("gpt-5",), "tenants": ("tnt_2",)},
        lambda each: each.metadata["tier"] == "pro" and each.model == "gpt-5" and each.tenant_id == "tnt_2",
    ),
    "dear": ({"cost": (5 * 10**10, None)}, lambda each: each.cost >= 5 * 10**10),
    "long and cheap": (
        {"total_tokens": (3_000, 5_000), "cost": (None, 9 * 10**10), "users": ("ann",)},
        lambda each: 3_000 <= tokens(each) <= 5_000 and each.cost <= 9 * 10**10 and each.metadata.get("_user") == "ann",
    ),
}
LABELS: dict[str, Any] = {
    "": lambda each: "",
    Label.WORKSPACE: lambda each: each.workspace_id,
    Label.TENANT: lambda each: each.tenant_id or "",
    Label.API_KEY: lambda each: each.key_id,
    Label.USER: lambda each: each.metadata.get("_user", ""),
    Label.MODEL: lambda each: each.model,
    Label.STATUS: lambda each: str(each.status),
    Label.CACHE: lambda each: each.cache_status,
    Label.CONFIG: lambda each: each.config,
    Label.PROMPT: lambda each: each.prompt,
    "metadata.tier": lambda each: each.metadata["tier"],
    "metadata.absent": lambda each: "",
}


@pytest.mark.parametrize("time_zone", ["UTC", "Asia/Kathmandu", "America/New_York"])
async def test_every_question_is_answered_as_the_records_say(database: Database, time_zone: str) -> None:
    """Over a whole month and over odd stretches of it, by every label: calls, tokens, cost, latencies, last call."""
    random = Random(f"cells {time_zone}")
    await organization(database, time_zone)
    records = [some_record(random, number) for number in range(400)]
    await written(database, records)
    reader = SqlUsageReader(database, MovedClock())
    for filters, holds in QUESTIONS.values():
        since = NOON - random.randrange(34 * DAY)
        stretches = [
            (NOON - 40 * DAY, NOON + DAY),
            (since, since + random.randrange(1, 20 * DAY)),
            (since, since + DAY),
        ]
        for start, end in stretches:
            calls = replace(EVERYTHING, since=start, until=end, **filters)
            wanted = [each for each in records if start <= each.started_at < end and holds(each)]
            await _same_groups(reader, calls, wanted)
            await _same_graph(reader, calls, wanted, time_zone)


async def _same_groups(reader: SqlUsageReader, calls: Calls, wanted: Sequence[UsageRecord]) -> None:
    for by, label in LABELS.items():
        found = await reader.grouped(calls, by)
        assert {name: sums.calls for name, sums in found.items()} == Counter(label(each) for each in wanted), by
        for name, sums in found.items():
            those = [each for each in wanted if label(each) == name]
            assert sums.requests == sum(each.requests for each in those)
            assert sums.cost == sum(each.cost for each in those)
            assert sums.tokens == sum(tokens(each) for each in those)
            assert sums.took == sum(each.ended_after for each in those)
            assert sums.errors == sum(each.requests for each in those if each.status >= 400)
            assert sums.last_at == max(each.started_at for each in those)


async def _same_graph(reader: SqlUsageReader, calls: Calls, wanted: Sequence[UsageRecord], time_zone: str) -> None:
    points = points_of(calls.since, calls.until, time_zone)
    at = [points.index(each.started_at) for each in wanted]
    found = await reader.over_time(calls, points, latencies=True)
    assert [sums.calls for sums in found] == [at.count(index) for index in range(len(points.starts))]
    histogram = Counter("".join(latency.slot_of(each.ended_after) for each in wanted))
    assert +sum((latency.read(sums.latencies) for sums in found), Counter()) == histogram
    first = [each.first_byte_after for each in wanted if each.first_byte_after is not None]
    assert +sum((latency.read(sums.first_bytes) for sums in found), Counter()) == Counter(map(latency.slot_of, first))
    series = await reader.series(calls, points, Label.MODEL, latencies=True)
    of_each = [{name: sums.cost for name, sums in sums_by.items()} for sums_by in series]
    costs: list[Counter[str]] = [Counter() for _ in points.starts]
    for index, each in zip(at, wanted, strict=True):
        costs[index][each.model] += each.cost
    assert list(map(Counter, of_each)) == costs
    for by in (Label.USER, Label.STATUS):
        each_point = await reader.counted(calls, points, by)
        exact: list[Counter[str]] = [Counter() for _ in points.starts]
        for index, each in zip(at, wanted, strict=True):
            exact[index][LABELS[by](each)] += each.requests
        assert list(each_point) == exact


async def test_the_migration_sums_up_the_days_that_are_there(database: Database) -> None:
    """A database with calls of before has the same sums by days as one that had them from the start."""
    await organization(database, "Asia/Kathmandu")
    random = Random(3)
    await written(database, [some_record(random, number) for number in range(200)])
    migration = import_module("headgate.storage.migrations.versions.v0022_first_bytes")

    def days(connection: Connection) -> list[Any]:
        found = connection.execute(select(usage_cell).where(usage_cell.c.kind == WHAT_BY_DAY)).mappings()
        each = [{**row, **{name: latency.read(row[name]) for name in ("latencies", "first_bytes")}} for row in found]
        return sorted(each, key=lambda row: (row["workspace_id"], row["bucket"], row["what_id"]))

    def errors(connection: Connection) -> list[Any]:
        columns = (usage_cell.c.workspace_id, usage_cell.c.kind, usage_cell.c.bucket, usage_cell.c.who_id)
        found = connection.execute(select(*columns, usage_cell.c.what_id, usage_cell.c.errors))
        return sorted(map(tuple, found))

    counted = await database.read(errors)
    await database.write(lambda connection: connection.execute(update(usage_cell).values(errors=0)))
    await database.write(migration.count_errors)
    assert any(each[-1] for each in counted)
    assert await database.read(errors) == counted
    before = await database.read(days)
    await database.write(
        lambda connection: connection.execute(delete(usage_cell).where(usage_cell.c.kind == WHAT_BY_DAY))
    )
    await database.write(migration.sum_up_days)
    assert before
    assert await database.read(days) == before


async def test_records_that_come_twice_count_once(database: Database) -> None:
    """From a journal that is replayed, for example."""
    await organization(database)
    random = Random(1)
    records = [some_record(random, number) for number in range(60)]
    await written(database, records)
    await written(database, records)
    found = await SqlUsageReader(database, MovedClock()).grouped(EVERYTHING, "")
    assert found[""].calls == 60


async def test_a_transaction_that_is_undone_leaves_nothing_behind(database: Database) -> None:
    """Not even in the writer's memory: numbers it gave in it are not used afterwards."""
    await organization(database)
    random = Random(2)
    records = [some_record(random, number) for number in range(60)]
    rows = AlertedRows(MovedClock())

    def broken(connection: Connection) -> None:
        rows.insert(connection, records)
        raise InterruptedError

    for _ in range(2):
        with pytest.raises(InterruptedError):
            await database.write(broken)
    await written(database, records, rows)
    reader = SqlUsageReader(database, MovedClock())
    await _same_groups(reader, EVERYTHING, records)


async def test_two_writers_share_their_cells(database: Database) -> None:
    """Two nodes that write calls of the same customers."""
    await organization(database)
    random = Random(3)
    records = [some_record(random, number) for number in range(120)]
    one, other = AlertedRows(MovedClock()), AlertedRows(MovedClock())
    for start in range(0, 120, 20):
        await written(database, records[start : start + 10], one)
        await written(database, records[start + 10 : start + 20], other)
    await _same_groups(SqlUsageReader(database, MovedClock()), EVERYTHING, records)


async def test_a_cell_that_is_written_again_and_again_stays_short(database: Database) -> None:
    """Its histogram is made one from time to time, and loses nothing by it."""
    await organization(database)
    rows = AlertedRows(MovedClock())
    count = 2 * cells._LONG + 10
    for start in range(0, count, 6):
        batch = [record(n, started_at=NOON - 1, ended_after=NANOS_PER_SECOND) for n in range(start, start + 6)]
        await written(database, batch[: count - start], rows)
    texts = await database.read(lambda c: c.execute(text("SELECT latencies FROM usage_cell")).scalars().all())
    assert len(texts) == 4
    for each in texts:
        assert len(each) < 30
        assert sum(latency.read(each).values()) == count


async def test_metadata_with_too_many_values_is_asked_of_the_records(database: Database) -> None:
    """It no longer makes sets of labels; what is asked about it is answered all the same, for so many calls."""
    await organization(database)
    written_by = Cells(LabelNumbers(most_values=10))
    records = [record(number, started_at=NOON - 1 - number, metadata={"id": f"{number}"}) for number in range(60)]
    for each in records:

        def work(connection: Connection, each: UsageRecord = each) -> None:
            _, rows = usage_rows.insert_new(connection, [each])
            written_by.add(connection, rows)

        await database.write(work)
    count = await database.read(lambda c: c.execute(text("SELECT count(*) FROM usage_who")).scalar_one())
    assert count == 12  # those that were told apart, and one for all others
    reader = SqlUsageReader(database, MovedClock())
    assert len(await reader.grouped(EVERYTHING, "metadata.id")) == 60
    assert (await reader.grouped(replace(EVERYTHING, metadata=(("id", "59"),)), ""))[""].calls == 1
    assert (await reader.grouped(EVERYTHING, ""))[""].calls == 60
    with pytest.raises(InvalidRequest, match="more than 50"):
        await SqlUsageReader(database, MovedClock(), most_records=50).grouped(EVERYTHING, "metadata.id")


async def test_another_organization_s_calls_are_not_counted(database: Database) -> None:
    """Nor found by a filter that names what is theirs."""
    await organization(database)
    await written(database, [record(1, started_at=NOON - 1, organization_id="org_2", workspace_id="ws_9")])
    reader = SqlUsageReader(database, MovedClock())
    for filters in ({}, {"workspaces": ("ws_9",), "keys": ("key_1",)}, {"trace_ids": ("trace-1",)}):
        assert await reader.grouped(replace(EVERYTHING, **filters), Label.MODEL) == {}  # type: ignore[arg-type]
