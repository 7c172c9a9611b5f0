"""What usage records say of an allowance's past, on both engines."""

from collections.abc import Sequence
from typing import Any

import pytest

from headgate.base.clock import NANOS_PER_SECOND
from headgate.ledger.allowance import LIFETIME, Allowance, Resource, Scope, Window
from headgate.ledger.ledger import LocalLedger
from headgate.ledger.record import UsageRecord
from headgate.storage import usage_rows
from headgate.storage.alert_tables import allowance_use
from headgate.storage.database import Database
from headgate.storage.past_use import past_use
from tests.support.ledger import DAY, MINUTE, MONTH, NOON, KeptEntries, ManualClock, record

HOUR = 3_600 * NANOS_PER_SECOND


def made(number: int, at: int, **more: Any) -> UsageRecord:
    taken = record(f"req_{number}", at=at, input_tokens=10, output_tokens=2, cost=100)
    fields = {name: getattr(taken, name) for name in UsageRecord.__struct_fields__}
    return UsageRecord(**{**fields, **more})


async def written(database: Database, records: Sequence[UsageRecord]) -> None:
    await database.write(lambda connection: usage_rows.insert(connection, records))


async def used(database: Database, allowance: Allowance, now: int = NOON) -> int:
    return sum(amount for _, amount in await database.read(lambda connection: past_use(connection, allowance, now)))


def of(kind: str, scope_id: str, resource: Resource = Resource.COST, window: Window = LIFETIME) -> Allowance:
    return Allowance(f"{kind}:{scope_id}:{resource}", Scope(kind, scope_id), resource, window, 1_000_000)


@pytest.mark.parametrize(
    ("resource", "amount"),
    [
        (Resource.REQUESTS, 3),
        (Resource.TOKENS, 36),
        (Resource.INPUT_TOKENS, 30),
        (Resource.OUTPUT_TOKENS, 6),
        (Resource.COST, 300),
        (Resource.IN_FLIGHT, 0),
    ],
)
async def test_each_resource(database: Database, resource: Resource, amount: int) -> None:
    """What the records say of it; a call that was under way in an earlier process is over."""
    await written(database, [made(number, NOON - number) for number in range(3)])
    assert await used(database, of("api_key", "key", resource)) == amount
    assert await used(database, of("api_key", "key", resource, MINUTE)) == amount


async def test_each_scope_has_its_own(database: Database) -> None:
    """An integration's limits are counted by workspace; nobody is charged for others."""
    records = [
        made(1, NOON),
        made(2, NOON, key_id="other", tenant_id="tenant"),
        made(3, NOON, workspace_id="elsewhere", integration_id="another"),
        made(4, NOON, workspace_id="elsewhere"),
    ]
    await written(database, records)
    assert await used(database, of("organization", "org")) == 400
    assert await used(database, of("workspace", "workspace")) == 200
    assert await used(database, of("tenant", "tenant")) == 100
    assert await used(database, of("api_key", "key")) == 300
    assert await used(database, of("integration", "integration:elsewhere")) == 100
    assert await used(database, of("integration", "integration:nowhere")) == 0


async def test_only_the_present_period_counts(database: Database) -> None:
    """By the moment a call was held at; what an administrator reset does not."""
    yesterday, this_morning = NOON - 13 * HOUR, NOON - 11 * HOUR
    await written(database, [made(1, yesterday), made(2, this_morning), made(3, NOON)])
    assert await used(database, of("api_key", "key", window=DAY)) == 200
    assert await used(database, of("api_key", "key", window=MONTH)) == 200  # 2026-01-01
    assert await used(database, of("api_key", "key")) == 300
    reset = Allowance("id", Scope("api_key", "key"), Resource.COST, LIFETIME, 1, since=NOON)
    assert await used(database, reset) == 100


async def test_a_sum_that_is_kept_is_taken(database: Database) -> None:
    """It is the sum of the period's records, kept in the transaction that writes them."""
    await written(database, [made(1, NOON)])
    day_start = NOON - 12 * HOUR
    row = {"allowance_id": "api_key:key:cost", "window_start": day_start, "window_end": None, "settled": 777}
    await database.write(lambda connection: connection.execute(allowance_use.insert().values(**row)))
    assert await used(database, of("api_key", "key", window=DAY)) == 777
    assert await used(database, of("api_key", "key", window=DAY), NOON + 24 * HOUR) == 0


async def test_tokens_count_from_the_end_of_their_call(database: Database) -> None:
    """A stream may have held more as late as that, and the window is never shorter than it says; it was one request,
    made when it began."""
    second = NANOS_PER_SECOND
    ended_in_time = made(1, NOON - 3_000 * second, ended_after=2_990 * second)
    too_early = made(2, NOON - 3_000 * second, ended_after=2_930 * second)
    await written(database, [ended_in_time, too_early])
    assert await used(database, of("api_key", "key", Resource.TOKENS, MINUTE)) == 12
    assert await used(database, of("api_key", "key", Resource.REQUESTS, MINUTE)) == 0
    past = await database.read(
        lambda connection: past_use(connection, of("api_key", "key", Resource.TOKENS, MINUTE), NOON, 3_600)
    )
    assert past == [(NOON - 10 * second, 12)]


async def test_a_sliding_window_goes_on_where_it_was(database: Database) -> None:
    """What is restored leaves the window when it would have left, and not later than a sixtieth of it."""
    offsets = (59, 45, 30, 15, 1)
    await written(database, [made(number, NOON - offset * NANOS_PER_SECOND) for number, offset in enumerate(offsets)])
    await written(database, [made(10, NOON - 60 * NANOS_PER_SECOND), made(11, NOON - 3600 * NANOS_PER_SECOND)])
    allowance = of("api_key", "key", Resource.REQUESTS, MINUTE)
    past = await database.read(lambda connection: past_use(connection, allowance, NOON))
    assert [amount for _, amount in past] == [1, 1, 1, 1, 1]
    clock = ManualClock()
    ledger = LocalLedger(clock, KeptEntries())
    ledger.restore(allowance, past)
    left = {}
    for second in range(62):
        left[second] = ledger.balances([allowance])[0].used
        clock.pass_s(1)
    assert [left[second] for second in (0, 2, 16, 31, 46, 60)] == [5, 4, 3, 2, 1, 0]
