"""That calls went to a cheaper model is told to the tenant: once for each budget and period, on both engines."""

from typing import Any

from headgate.ledger.allowance import Allowance
from headgate.tenancy.alert_events import Downgraded, Owner
from headgate.tenancy.limits import UTC
from headgate.tenancy.owner import allowances_of
from tests.support.alerting import Alerting
from tests.support.receiver import Receiver

MONTHLY = {"credit_limit": 100, "periodic_reset": "monthly"}
DAY_S = 86_400


async def tenant(both: Alerting, name: str) -> tuple[Owner, list[Allowance]]:
    body: dict[str, Any] = {"tenant_id": name, "workspace_id": both.workspace, "usage_limits": MONTHLY}
    body["rate_limits"] = {"type": "tokens", "unit": "rpm", "value": 1_000}
    await both.world.ok("POST", "/v1/admin/tenants", body)
    found = await both.world.services.tenants.get(both.world.root, name)
    owner = Owner(found.organization_id, found.workspace_id, found.id)
    return owner, list(allowances_of(found, UTC))


async def note(both: Alerting, owner: Owner, budget: Allowance) -> None:
    both.refusals.downgraded(Downgraded(budget, owner, "@a/dear", "@a/cheap"))
    await both.deliver()
    both.clock.move(61)  # it is looked at once a minute


async def test_once_in_a_period_for_each_tenant(both: Alerting) -> None:
    """However often it happens; and again in the next month. With what its receiver needs to know."""
    (acme, [budget, _]), (other, [others, _]) = await tenant(both, "acme"), await tenant(both, "other")
    for _ in range(3):
        await note(both, acme, budget)
    await note(both, other, others)
    events = await both.told()
    assert [(each["type"], each["data"]["tenant_id"]) for each in events] == [
        ("budget.downgraded", acme.tenant_id),
        ("budget.downgraded", other.tenant_id),
    ]
    assert events[0]["data"] == {
        "organization_id": acme.organization_id,
        "workspace_id": acme.workspace_id,
        "tenant_id": acme.tenant_id,
        "model_asked": "@a/dear",
        "model": "@a/cheap",
        "scope": {"kind": "tenant", "id": acme.tenant_id, "name": "acme"},
        "allowance": f"tenant:{acme.tenant_id}:cost:month",
        "resource": "cost",
        "unit": "usd",
        "window": "month",
        "starts_at": "2027-01-01T00:00:00.000Z",
        "resets_at": "2027-02-01T00:00:00.000Z",
        "cap": 100,
        "used": 0,
    }
    both.clock.move(20 * DAY_S)
    await note(both, acme, budget)
    assert len(await both.told()) == 3


async def test_of_the_organization_s_budget_no_figure_is_told(both: Alerting) -> None:
    """The event goes to the tenant: it learns that it was the organization's budget, and that is all."""
    owner, _ = await tenant(both, "acme")
    await both.world.ok("PUT", "/v1/admin/organisation", {"usage_limits": MONTHLY})
    organization = await both.world.services.organizations.get(both.world.root)
    [budget] = allowances_of(organization, UTC)
    await note(both, owner, budget)
    [event] = await both.told()
    assert event["data"]["scope"] == {"kind": "organization"}
    assert not {"cap", "used", "allowance", "unit"} & event["data"].keys()


async def test_a_rate_is_not_told(both: Alerting) -> None:
    """It comes back within its window, and has no period to be told once in."""
    owner, [_, rate] = await tenant(both, "acme")
    await note(both, owner, rate)
    assert await both.told() == []


async def test_the_webhook_of_the_tenant_gets_it(both: Alerting) -> None:
    """And not that of another tenant."""
    (acme, [budget, _]), _ = await tenant(both, "acme"), await tenant(both, "other")
    async with Receiver() as receiver:
        hooks = {name: await both.webhook(receiver.url, tenant_id=name) for name in ("acme", "other")}
        await note(both, acme, budget)
    assert [each["type"] for each in await both.deliveries(hooks["acme"])] == ["budget.downgraded"]
    assert await both.deliveries(hooks["other"]) == []
