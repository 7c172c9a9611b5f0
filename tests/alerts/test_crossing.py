"""From usage records to events: each crossing once, in the transaction that writes the records, on both engines."""

import asyncio
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from headgate.base.money import NANOS_PER_USD
from headgate.ledger.allowance import LIFETIME, Allowance, Resource, Scope
from headgate.storage.alert_rows import AlertedRows
from headgate.storage.alert_tables import allowance_use
from headgate.storage.database import open_database
from headgate.storage.tables import usage_record
from headgate.tenancy import limits
from headgate.tenancy.limits import UsageLimit
from tests.support.alerting import Alerting

DAY_S = 86_400
MONTHLY = {"credit_limit": 100, "periodic_reset": "monthly"}


async def test_a_budget_is_told_at_80_90_and_100_percent(both: Alerting) -> None:
    """Each of them once, with what its receiver needs to know; the key's end is an event of its own."""
    key = await both.key(MONTHLY, name="Ada")
    for _ in range(11):
        await both.spend(key, "10")
        both.clock.move(1)
    events = await both.told()
    assert [(each["type"], each["data"]["percent"], each["data"]["thresholds"]) for each in events] == [
        ("budget.threshold_reached", 80, ["80%"]),
        ("budget.threshold_reached", 90, ["90%"]),
        ("budget.threshold_reached", 100, ["100%"]),
        ("key.exhausted", 100, ["exhausted"]),
    ]
    assert events[0]["data"] == {
        "organization_id": both.world.root.organization_id,
        "workspace_id": both.workspace,
        "tenant_id": None,
        "scope": {"kind": "api_key", "id": key, "name": "Ada"},
        "allowance": f"api_key:{key}:cost:month",
        "resource": "cost",
        "unit": "usd",
        "window": "month",
        "starts_at": "2027-01-01T00:00:00.000Z",
        "resets_at": "2027-02-01T00:00:00.000Z",
        "cap": 100,
        "used": 80,
        "percent": 80,
        "thresholds": ["80%"],
        "threshold_amount": 80,
    }
    assert events[0]["timestamp"].startswith("2027-01-15T08:00:0")


async def test_an_absolute_threshold_in_tokens_beside_the_percents(both: Alerting) -> None:
    """`alert_threshold` is an amount; where it lies on a percent, both are one event."""
    key = await both.key({"type": "tokens", "credit_limit": 1_000, "alert_threshold": 500})
    other = await both.key({"type": "tokens", "credit_limit": 1_000, "alert_threshold": 800})
    await both.spend(key, tokens=600)
    await both.spend(other, tokens=850)
    assert await both.thresholds() == [("80%", "alert_threshold"), ("alert_threshold",)]
    assert [each["data"]["unit"] for each in await both.told()] == ["tokens", "tokens"]


async def test_a_limit_may_have_percents_of_its_own(both: Alerting) -> None:
    """They take the place of the workspace's; none at all is none; null goes back to the workspace's."""
    own = await both.key({"credit_limit": 10, "alert_thresholds": [50, 60, 50]})
    silent = await both.key({"credit_limit": 10, "alert_thresholds": []})
    await both.spend(own, "5.5")
    await both.spend(silent, "9.5")
    assert await both.thresholds() == [("50%",)]
    await both.spend(own, "1")
    await both.spend(own, "3")
    assert await both.thresholds() == [("50%",), ("60%",)]
    shown = await both.world.ok("GET", f"/v1/api-keys/{own}")
    assert shown["usage_limits"]["alert_thresholds"] == [50, 60]
    await both.world.ok("PUT", f"/v1/api-keys/{silent}", {"usage_limits": {"credit_limit": 10}})
    await both.spend(silent, "0")
    assert await both.thresholds() == [("50%",), ("60%",), ("80%",), ("90%",)]


async def test_every_scope_of_a_call_is_told(both: Alerting) -> None:
    """Organization, workspace, tenant, key and integration-in-workspace: whoever has a budget hears of it."""
    world = both.world
    limit = {"credit_limit": 10}
    await world.ok("PUT", "/v1/admin/organisation", {"usage_limits": limit})
    await world.ok("PUT", f"/v1/admin/workspaces/{both.workspace}", {"usage_limits": limit})
    tenant = await world.ok(
        "POST", "/v1/admin/tenants", {"name": "Acme", "workspace_id": both.workspace, "usage_limits": limit}
    )
    key = await both.key(limit, tenant_id=tenant["id"])
    provider = {"name": "OpenAI", "slug": "openai", "ai_provider_id": "openai", "key": "sk-secret-of-the-test-000"}
    integration = (await world.ok("POST", "/v1/integrations", provider))["id"]
    access = {"id": both.workspace, "enabled": True, "usage_limits": [limit]}
    await world.ok("PUT", "/v1/integrations/openai/workspaces", {"workspaces": [access]})
    await both.spend(key, "8.50", tenant_id=tenant["id"], integration_id=integration)
    scopes = sorted((each["data"]["scope"]["kind"], each["data"]["tenant_id"]) for each in await both.told())
    assert scopes == [
        ("api_key", tenant["id"]),
        ("integration", None),
        ("organization", None),
        ("tenant", tenant["id"]),
        ("workspace", None),
    ]


async def test_a_record_that_comes_twice_counts_once(both: Alerting) -> None:
    """From the journal after a crash, for example: in the same batch, and in another."""
    key = await both.key(MONTHLY)
    record = both.record(key, "79")
    await both.write([record, record])
    await both.write([record])
    assert await both.told() == []
    await both.spend(key, "1")
    assert await both.thresholds() == [("80%",)]


async def test_writers_at_once_tell_each_crossing_once(both: Alerting, database_url: str) -> None:
    """Eight writers, on PostgreSQL each with its own connections as nodes have them, settle 120 calls of one key."""
    key = await both.key({"credit_limit": 100})
    records = [both.record(key, "1") for _ in range(120)]
    databases = [both.database] * 8
    if database_url.startswith("postgresql"):
        databases = [await open_database(database_url) for _ in range(8)]

    async def writer(number: int) -> None:
        rows = AlertedRows(both.clock)
        for start in range(number * 15, number * 15 + 15, 3):
            await databases[number].write(partial(rows.insert, records=records[start : start + 3]))

    await asyncio.gather(*map(writer, range(8)))
    if database_url.startswith("postgresql"):
        for each in databases:
            await each.close()
    assert await both.thresholds() == [("100%",), ("80%",), ("90%",)]

    def used(connection: Connection) -> tuple[int, int]:
        settled = connection.execute(select(allowance_use.c.settled)).scalar_one()
        return settled, int(connection.execute(select(func.sum(usage_record.c.cost))).scalar_one())

    assert await both.database.read(used) == (120 * 10**9, 120 * 10**9)


async def test_the_same_records_from_two_writers_count_once(both: Alerting, database_url: str) -> None:
    """A process that died may still be committing when its successor replays the journal."""
    key = await both.key({"credit_limit": 100})
    records = [both.record(key, "1") for _ in range(50)]
    other = await open_database(database_url) if database_url.startswith("postgresql") else both.database
    await asyncio.gather(
        *(
            each.write(lambda connection: AlertedRows(both.clock).insert(connection, records))
            for each in (both.database, other, both.database, other)
        )
    )
    if other is not both.database:
        await other.close()
    settled = await both.database.read(lambda c: c.execute(select(allowance_use.c.settled)).scalar_one())
    assert settled == 50 * 10**9


async def test_a_transaction_that_is_undone_tells_nothing_and_the_next_one_does(both: Alerting) -> None:
    """Records, sums and events stand or fall together."""
    key = await both.key(MONTHLY)
    record = both.record(key, "85")

    def broken(connection: Connection) -> None:
        both.rows.insert(connection, [record])
        raise RuntimeError("the power goes")

    with pytest.raises(RuntimeError, match="power"):
        await both.database.write(broken)
    assert await both.told() == []
    await both.write([record])
    assert await both.thresholds() == [("80%",)]


async def test_a_new_period_is_told_anew(alerts: Alerting) -> None:
    """A call counts in the period it began in, also when it is settled after the period's end."""
    key = await alerts.key({"credit_limit": 10, "periodic_reset": "daily"})
    yesterday = alerts.clock.now()
    await alerts.spend(key, "7")
    alerts.clock.move(DAY_S)
    await alerts.spend(key, "8")
    assert await alerts.thresholds() == [("80%",)]
    await alerts.spend(key, "1", at=yesterday)
    assert await alerts.thresholds() == [("80%",), ("80%",)]
    starts = {each["data"]["starts_at"] for each in await alerts.told()}
    assert starts == {"2027-01-15T00:00:00.000Z", "2027-01-16T00:00:00.000Z"}


async def test_a_lifetime_budget_is_told_once(alerts: Alerting) -> None:
    """Years do not bring it back."""
    key = await alerts.key({"credit_limit": 10})
    await alerts.spend(key, "8")
    alerts.clock.move(400 * DAY_S)
    await alerts.spend(key, "0.5")
    assert await alerts.thresholds() == [("80%",)]
    assert (await alerts.told())[0]["data"]["resets_at"] is None


async def test_a_raised_cap_arms_again_what_is_no_longer_reached(alerts: Alerting) -> None:
    """At $95 of $100, raised to $110: 80 % stays told, 90 % and 100 % come when they are reached again."""
    key = await alerts.key(MONTHLY)
    await alerts.spend(key, "95")
    assert await alerts.thresholds() == [("80%",), ("90%",)]
    await alerts.world.ok("PUT", f"/v1/api-keys/{key}", {"usage_limits": {**MONTHLY, "credit_limit": 110}})
    await alerts.spend(key, "1")
    assert len(await alerts.thresholds()) == 2
    await alerts.spend(key, "14")
    assert await alerts.thresholds() == [("100%",), ("80%",), ("90%",), ("90%",)]


@pytest.mark.parametrize(("used", "told"), [("89", [("80%",)]), ("92", [("100%",), ("80%",), ("90%",)])])
async def test_a_budget_that_refuses_the_rest_counts_as_used_up(
    both: Alerting, used: str, told: list[tuple[str, ...]]
) -> None:
    """A call is refused rather than made beyond the cap, so the last bit may never be used: with 90 % gone, a refusal
    is the end. It is told once; what is used stays what is used."""
    key = await both.key(MONTHLY)
    await both.spend(key, used)
    policy = limits.allowances(
        Scope("api_key", key), [UsageLimit(Resource.COST, 100 * NANOS_PER_USD, reset="month")], ()
    )
    for _ in range(3):
        both.refusals.note(policy[0])
        await both.refusals.tell()
        both.clock.move(61)
    assert await both.thresholds() == told
    ends = [each["data"] for each in await both.told() if each["type"] == "key.exhausted"]
    assert [(each["used"], each["percent"]) for each in ends] == ([(92, 92)] if len(told) == 3 else [])
    await both.spend(key, "1")
    both.refusals.note(policy[0])
    await both.refusals.tell()
    assert len(await both.thresholds()) == 3


async def test_refusals_of_what_was_never_used_or_is_gone_are_nobodys_alert(alerts: Alerting) -> None:
    """A call that is too large for a fresh budget, and a budget that was taken away meanwhile."""
    key = await alerts.key(MONTHLY)
    gone = Allowance("api_key:nobody:cost:month", Scope("api_key", "nobody"), Resource.COST, LIFETIME, 1)
    fresh = Allowance(f"api_key:{key}:cost:month", Scope("api_key", key), Resource.COST, LIFETIME, 1)
    for allowance in (gone, fresh):
        alerts.refusals.note(allowance)
    await alerts.refusals.tell()
    assert await alerts.told() == []


async def test_usage_that_was_reset_begins_at_zero(alerts: Alerting) -> None:
    """Calls from before the reset count no longer, and everything is told anew."""
    key = await alerts.key(MONTHLY)
    late = alerts.record(key, "50")
    await alerts.spend(key, "80")
    await alerts.world.ok("PUT", f"/v1/api-keys/{key}", {"reset_usage": True})
    await alerts.write([late])
    await alerts.spend(key, "79")
    assert await alerts.thresholds() == [("80%",)]
    await alerts.spend(key, "1")
    assert await alerts.thresholds() == [("80%",), ("80%",)]


async def test_a_budget_that_is_made_late_counts_what_was_used_before(alerts: Alerting) -> None:
    """Sums are those of all usage records of the period, whenever somebody began to keep them."""
    key = await alerts.key()
    await alerts.spend(key, "70")
    await alerts.world.ok("PUT", f"/v1/api-keys/{key}", {"usage_limits": MONTHLY})
    await alerts.spend(key, "12")
    assert [each["data"]["used"] for each in await alerts.told()] == [82]


@pytest.mark.parametrize(
    ("organization", "workspace", "expected"),
    [
        ({"percents": [50]}, None, [("50%",)]),
        ({"percents": [50]}, {"percents": [25, 75]}, [("25%",)]),
        ({"percents": []}, None, []),
        ({"percents": [50]}, {"percents": None}, [("50%",)]),
    ],
)
async def test_percents_are_the_organizations_and_a_workspace_may_have_its_own(
    alerts: Alerting, organization: dict[str, Any], workspace: dict[str, Any] | None, expected: list[tuple[str, ...]]
) -> None:
    """The default is 80, 90 and 100; an empty list turns percents off."""
    await alerts.world.ok("PUT", "/v1/admin/alerts", organization)
    if workspace is not None:
        await alerts.world.ok("PUT", f"/v1/admin/alerts?workspace_id={alerts.workspace}", workspace)
    key = await alerts.key(MONTHLY)
    await alerts.spend(key, "60")
    assert await alerts.thresholds() == expected


async def test_rate_limits_and_calls_without_a_budget_are_nobodys_alert(alerts: Alerting) -> None:
    """A rate that is used up comes back by itself; whoever has no budget has no sums either."""
    key = await alerts.key(rate_limits=[{"type": "requests", "unit": "rpm", "value": 1}])
    for _ in range(5):
        await alerts.spend(key, "1000")
    assert await alerts.told() == []
    assert (
        await alerts.database.read(lambda c: c.execute(select(func.count()).select_from(allowance_use)).scalar()) == 0
    )
