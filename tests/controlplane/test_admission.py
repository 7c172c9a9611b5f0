"""Admission rules through the API: set at three levels, seen by the next call, kept in the audit log."""

from headgate.tenancy.admission import Streams
from tests.support.administration import World, customer_key


async def test_rules_of_all_levels_reach_the_policy_at_once(world: World) -> None:
    """Tenant over workspace over organization; a rule that is taken away is inherited again."""
    tenant = {"tenant_id": "acme", "name": "Acme", "workspace_id": "default", "admission": {"streams": "adaptive"}}
    assert (await world.ok("POST", "/v1/admin/tenants", tenant))["admission"] == {"streams": "adaptive"}
    _, text = await customer_key(world, "default", tenant_id="acme")
    await world.ok("PUT", "/v1/admin/organisation", {"admission": {"hold_wait_ms": 100, "clamp_min_output": 5}})
    await world.ok("PUT", "/v1/admin/workspaces/default", {"admission": {"hold_wait_ms": 300}})
    found = (await world.directory.authenticate(text)).admission
    assert (found.hold_wait_ms, found.clamp_min_output, found.streams) == (300, 5, Streams.ADAPTIVE)
    await world.ok("PUT", "/v1/admin/workspaces/default", {"admission": None})
    assert (await world.directory.authenticate(text)).admission.hold_wait_ms == 100


async def test_the_organization_shows_and_takes_its_settings(world: World) -> None:
    """What is sent replaces what was; nothing to change is said so; and it is in the audit log."""
    changed = await world.ok("PUT", "/v1/admin/organisation", {"name": "Acme Inc", "admission": {"hold_wait_ms": 9}})
    assert (changed["name"], changed["admission"], changed["object"]) == (
        "Acme Inc",
        {"hold_wait_ms": 9},
        "organisation",
    )
    assert await world.ok("GET", "/v1/admin/organisation") == changed
    entry = (await world.audit())[-1]
    assert entry.action == "update"
    assert '"hold_wait_ms":9' in entry.body.replace(" ", "")
    assert (await world.call("PUT", "/v1/admin/organisation", {})).status == 400
    refused = await world.call("PUT", "/v1/admin/organisation", {"admission": {"hold_wait": 1}})
    assert (refused.status, refused.json["error"]["param"]) == (400, "admission.hold_wait")


async def test_limits_of_the_organization_bind_every_key(world: World) -> None:
    """The change reaches policies that are in memory already."""
    _, text = await customer_key(world, "default")
    assert (await world.directory.authenticate(text)).allowances == ()
    await world.ok("PUT", "/v1/admin/organisation", {"usage_limits": {"credit_limit": 7}})
    (allowance,) = (await world.directory.authenticate(text)).allowances
    assert (allowance.scope.kind, allowance.cap) == ("organization", 7_000_000_000)


async def test_rules_over_the_organizations_money_are_its_own(world: World) -> None:
    """A workspace's key, which may make tenants there, cannot let them spend without a price."""
    made = await world.ok(
        "POST",
        "/v1/api-keys/workspace/service",
        {"name": "team", "workspace_id": "default", "scopes": ["tenants.create"]},
    )
    tenant = {"tenant_id": "acme", "name": "Acme", "admission": {"unpriced": "allow"}}
    assert (await world.call("POST", "/v1/admin/tenants", tenant, key=made["key"])).status == 403
    assert (await world.call("GET", "/v1/admin/organisation", key=made["key"])).status == 403
