"""Limit policies through the API, on both engines; and the limits of organization, workspace and tenant."""

import pytest

from tests.support.administration import World, customer_key

USAGE = {
    "name": "per user",
    "conditions": [{"key": "workspace_id", "value": "default"}, {"key": "model", "value": ["@a/*", "@b/m"]}],
    "group_by": [{"key": "metadata.user"}],
    "type": "cost",
    "credit_limit": 10.5,
    "alert_threshold": 8,
    "periodic_reset": "monthly",
}
RATE = {"name": "slow", "group_by": [{"key": "api_key"}], "type": "requests", "unit": "rpm", "value": 5}


async def test_a_usage_policy_s_life(world: World) -> None:
    """Made, shown as it was written, changed in part, removed; each in the audit log."""
    made = await world.ok("POST", "/v1/policies/usage-limits", USAGE)
    assert made["object"] == "policy_usage_limits"
    path = f"/v1/policies/usage-limits/{made['id']}"
    shown = await world.ok("GET", path)
    default = (await world.ok("GET", "/v1/admin/workspaces/default"))["id"]
    assert shown["conditions"] == [
        {"key": "workspace_id", "value": default, "excludes": False},
        {"key": "model", "value": ["@a/*", "@b/m"], "excludes": False},
    ]
    assert {name: shown[name] for name in USAGE if name != "conditions"} == {
        name: value for name, value in USAGE.items() if name != "conditions"
    }
    assert await world.ok("GET", "/v1/policies/usage-limits") == {"object": "list", "total": 1, "data": [shown]}
    assert (await world.ok("GET", "/v1/policies/rate-limits"))["total"] == 0
    changed = await world.ok("PUT", path, {"periodic_reset_days": 7, "credit_limit": 20})
    assert (changed["credit_limit"], changed["periodic_reset"], changed["periodic_reset_days"]) == (20, None, 7)
    assert (changed["name"], changed["alert_threshold"]) == ("per user", 8)
    await world.ok("DELETE", path)
    assert (await world.call("GET", path)).status == 404
    assert [entry.action for entry in (await world.audit())[-3:]] == ["create", "update", "delete"]


async def test_a_rate_policy_s_life(world: World) -> None:
    """The same verbs; a usage policy's path does not know it."""
    made = await world.ok("POST", "/v1/policies/rate-limits", RATE)
    assert made["object"] == "policy_rate_limits"
    path = f"/v1/policies/rate-limits/{made['id']}"
    changed = await world.ok("PUT", path, {"value": 7})
    assert (changed["type"], changed["unit"], changed["value"]) == ("requests", "rpm", 7)
    assert (await world.call("GET", f"/v1/policies/usage-limits/{made['id']}")).status == 404
    await world.ok("DELETE", path)


async def test_they_are_found_by_what_they_limit(world: World) -> None:
    """By `type` and `unit`; one that was removed is not kept as archived."""
    rates = "/v1/policies/rate-limits"
    made = {}
    for kind, unit in (("requests", "rpm"), ("tokens", "rpm"), ("tokens", "rpd")):
        made[kind, unit] = (await world.ok("POST", rates, RATE | {"type": kind, "unit": unit}))["id"]
    budget = (await world.ok("POST", "/v1/policies/usage-limits", USAGE))["id"]

    async def found(query: str, path: str = rates) -> set[str]:
        listed = await world.ok("GET", f"{path}?{query}")
        assert listed["total"] == len(listed["data"])
        return {each["id"] for each in listed["data"]}

    assert await found("type=tokens") == {made["tokens", "rpm"], made["tokens", "rpd"]}
    assert await found("type=tokens&unit=rpd&status=active") == {made["tokens", "rpd"]}
    assert await found("status=archived") == set()
    assert await found("type=cost", "/v1/policies/usage-limits") == {budget}
    assert await found("type=tokens", "/v1/policies/usage-limits") == set()
    refused = await world.call("GET", f"{rates}?type=cost")
    assert (refused.status, refused.json["error"]["param"]) == (400, "type")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"credit_limit": None}, "credit_limit"),
        ({"alert_threshold": 11}, "alert_threshold"),
        ({"periodic_reset_days": 3}, "periodic_reset_days"),
        ({"conditions": [{"key": "endpoint", "value": "x"}]}, "conditions[0].key"),
        ({"group_by": [{"key": "api_key"}, {"key": "api_key"}]}, "group_by"),
        ({"workspace_id": ""}, "workspace_id"),
    ],
)
async def test_what_cannot_be_is_refused_by_name(world: World, body: dict[str, object], param: str) -> None:
    """400, and the field."""
    refused = await world.call("POST", "/v1/policies/usage-limits", USAGE | body)
    assert (refused.status, refused.json["error"]["param"]) == (400, param)


async def test_a_workspace_s_key_has_its_own_policies_only(world: World) -> None:
    """It sees and changes those of its workspace, and none of the organization."""
    of_all = await world.ok("POST", "/v1/policies/rate-limits", RATE)
    scopes = [f"policies.{verb}" for verb in ("create", "read", "update", "delete", "list")]
    _, key = await customer_key(world, "default", scopes=scopes)
    own = await world.ok("POST", "/v1/policies/rate-limits", RATE, key=key)
    listed = await world.ok("GET", "/v1/policies/rate-limits", key=key)
    assert [each["id"] for each in listed["data"]] == [own["id"]]
    path = f"/v1/policies/rate-limits/{of_all['id']}"
    for method in ("GET", "PUT", "DELETE"):
        body = {"value": 99} if method == "PUT" else None
        assert (await world.call(method, path, body, key=key)).status == 404
    _, customer = await customer_key(world, "default")
    assert (await world.call("POST", "/v1/policies/rate-limits", RATE, key=customer)).status == 403


async def test_policies_reach_keys_in_memory_at_once(world: World) -> None:
    """Those of the organization and of their workspace."""
    _, text = await customer_key(world, "default")
    assert (await world.directory.authenticate(text)).limit_policies == ()
    await world.ok("POST", "/v1/policies/rate-limits", RATE)
    await world.ok("POST", "/v1/admin/workspaces", {"name": "Other", "slug": "other"})
    await world.ok("POST", "/v1/policies/rate-limits", {**RATE, "workspace_id": "other"})
    made = await world.ok("POST", "/v1/policies/rate-limits", {**RATE, "workspace_id": "default"})
    found = (await world.directory.authenticate(text)).limit_policies
    assert len(found) == 2
    await world.ok("DELETE", f"/v1/policies/rate-limits/{made['id']}")
    assert len((await world.directory.authenticate(text)).limit_policies) == 1
    await world.ok("DELETE", "/v1/admin/workspaces/other")
    assert (await world.ok("GET", "/v1/policies/rate-limits"))["total"] == 1


async def test_limits_of_a_tenant_change_at_once(world: World) -> None:
    """What is sent replaces what was, with an audit entry; a reset begins another counter."""
    await world.ok("POST", "/v1/admin/tenants", {"tenant_id": "acme", "name": "Acme", "workspace_id": "default"})
    _, text = await customer_key(world, "default", tenant_id="acme")
    limits = {"usage_limits": [{"credit_limit": 5}], "rate_limits": [{"type": "requests", "unit": "rpm", "value": 3}]}
    changed = await world.ok("PUT", "/v1/admin/tenants/acme", limits)
    assert (changed["usage_limits"][0]["credit_limit"], changed["name"]) == (5, "Acme")
    budget, rate = (await world.directory.authenticate(text)).allowances
    assert (budget.scope.kind, budget.cap, rate.cap) == ("tenant", 5 * 10**9, 3)
    await world.ok("PUT", "/v1/admin/tenants/acme", {"reset_usage": True})
    after, same = (await world.directory.authenticate(text)).allowances
    assert after.id != budget.id
    assert after.since > 0
    assert same == rate
    assert (await world.audit())[-1].action == "update"
    assert (await world.call("PUT", "/v1/admin/tenants/acme", {})).status == 400


@pytest.mark.parametrize("path", ["/v1/admin/organisation", "/v1/admin/workspaces/default"])
async def test_a_reset_begins_another_counter(world: World, path: str) -> None:
    """Of the organization and of a workspace too."""
    _, text = await customer_key(world, "default")
    await world.ok("PUT", path, {"usage_limits": {"credit_limit": 5}})
    [before] = (await world.directory.authenticate(text)).allowances
    await world.ok("PUT", path, {"reset_usage": True})
    [after] = (await world.directory.authenticate(text)).allowances
    assert (after.id != before.id, after.cap) == (True, before.cap)


async def test_the_organization_s_time_zone(world: World) -> None:
    """Its days begin there from the next call on; what is no zone is refused."""
    _, text = await customer_key(world, "default")
    limits = {"usage_limits": {"credit_limit": 5, "periodic_reset": "daily"}, "time_zone": "Europe/Berlin"}
    assert (await world.ok("PUT", "/v1/admin/organisation", limits))["time_zone"] == "Europe/Berlin"
    [daily] = (await world.directory.authenticate(text)).allowances
    assert daily.window.time_zone == "Europe/Berlin"
    refused = await world.call("PUT", "/v1/admin/organisation", {"time_zone": "Mars/Olympus"})
    assert (refused.status, refused.json["error"]["param"]) == (400, "time_zone")
