"""Tenants through the API: their life, both spellings of their limits, what they may be, and what is refused."""

from typing import Any

import pytest

from tests.support.administration import World, customer_key

ACME: dict[str, Any] = {
    "tenant_id": "acme-corp",
    "name": "Acme Corp",
    "workspace_id": "default",
    "tier": "pro",
    "allowed_models": ["@anthropic/claude-sonnet-4-5", "gpt-4o", "@gemini/*"],
    "default_model": "@anthropic/claude-sonnet-4-5",
    "max_requests_per_minute": 120,
    "max_tokens_per_day": 2_000_000,
    "monthly_budget_usd": 500,
    "downgrade": {"at": 0.95, "models": {"gpt-4o": "@anthropic/claude-sonnet-4-5"}},
    "metadata": {"account": "17"},
    "status": "active",
}


async def create(world: World, **fields: object) -> dict[str, Any]:
    body = {"tenant_id": "acme", "workspace_id": "default", **fields}
    found: dict[str, Any] = await world.ok("POST", "/v1/admin/tenants", body)
    return found


async def test_a_tenant_s_life(world: World) -> None:
    """Made with every field and shown as it was written, changed in part, listed, deleted; each in the audit log."""
    made = await world.ok("POST", "/v1/admin/tenants", ACME)
    default = (await world.ok("GET", "/v1/admin/workspaces/default"))["id"]
    assert {name: made[name] for name in ACME} == {**ACME, "workspace_id": default}
    assert (made["current_spend_usd"], made["remaining_budget_usd"]) == (0, 500)
    assert made["budget_resets_at"] == "2027-02-01T00:00:00.000Z"
    path = "/v1/admin/tenants/acme-corp"
    assert await world.ok("GET", path) == made == await world.ok("GET", f"/v1/admin/tenants/{made['id']}")
    changed = await world.ok("PUT", path, {"tier": None, "allowed_models": None, "downgrade": None, "name": None})
    assert (changed["tier"], changed["allowed_models"], changed["downgrade"]) == (None, None, None)
    assert (changed["name"], changed["monthly_budget_usd"]) == ("Acme Corp", 500)
    listed = await world.ok("GET", "/v1/admin/tenants?workspace_id=default")
    assert (listed["total"], listed["data"]) == (1, [changed])
    await world.ok("DELETE", path)
    assert (await world.call("GET", path)).status == 404
    assert [entry.action for entry in (await world.audit())[-3:]] == ["create", "update", "delete"]


async def test_nothing_is_limited_that_nobody_limited(world: World) -> None:
    """A tenant with a name and a workspace only: no limits, every model, no default."""
    made = await create(world)
    assert {made[name] for name in ("max_requests_per_minute", "max_tokens_per_day", "monthly_budget_usd")} == {None}
    assert (made["usage_limits"], made["rate_limits"], made["allowed_models"]) == ([], [], None)
    assert (made["current_spend_usd"], made["remaining_budget_usd"], made["budget_resets_at"]) == (0, None, None)
    assert (made["name"], made["status"]) == ("acme", "active")


async def test_short_fields_are_limits_by_another_name(world: World) -> None:
    """Kept once, read in both spellings, changed in either; null takes the limit away and no other."""
    made = await create(world, max_requests_per_minute=60, max_tokens_per_day=500_000, monthly_budget_usd=100)
    budgets = {(each["type"], each["periodic_reset"]): each["credit_limit"] for each in made["usage_limits"]}
    assert budgets == {("tokens", "daily"): 500_000, ("cost", "monthly"): 100}
    assert made["rate_limits"] == [{"type": "requests", "unit": "rpm", "value": 60}]
    path = "/v1/admin/tenants/acme"
    monthly = {"type": "cost", "credit_limit": 80, "periodic_reset": "monthly", "alert_threshold": 60}
    weekly = {"type": "cost", "credit_limit": 30, "periodic_reset": "weekly"}
    changed = await world.ok("PUT", path, {"usage_limits": [weekly, monthly], "max_requests_per_minute": None})
    assert (changed["monthly_budget_usd"], changed["max_tokens_per_day"], changed["rate_limits"]) == (80, None, [])
    changed = await world.ok("PUT", path, {"monthly_budget_usd": "90.5"})
    assert [each["credit_limit"] for each in changed["usage_limits"]] == [30, 90.5]
    assert changed["usage_limits"][1]["alert_threshold"] == 60
    changed = await world.ok("PUT", path, {"monthly_budget_usd": None})
    assert [each["periodic_reset"] for each in changed["usage_limits"]] == ["weekly"]


async def test_what_was_shown_can_be_sent_back(world: World) -> None:
    """Both spellings say the same then, and nothing changes."""
    made = await world.ok("POST", "/v1/admin/tenants", ACME)
    again = await world.ok("PUT", "/v1/admin/tenants/acme-corp", made)
    changing = {"last_updated_at"}
    assert {name: value for name, value in again.items() if name not in changing} == {
        name: value for name, value in made.items() if name not in changing
    }


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"monthly_budget_usd": -1}, "monthly_budget_usd"),
        ({"monthly_budget_usd": "many"}, "monthly_budget_usd"),
        ({"max_tokens_per_day": 1.5}, "max_tokens_per_day"),
        ({"max_requests_per_minute": True}, "max_requests_per_minute"),
        (
            {"monthly_budget_usd": 5, "usage_limits": {"credit_limit": 6, "periodic_reset": "monthly"}},
            "monthly_budget_usd",
        ),
        (
            {"max_requests_per_minute": 5, "rate_limits": {"type": "requests", "unit": "rpm", "value": 6}},
            "max_requests_per_minute",
        ),
        ({"allowed_models": []}, "allowed_models"),
        ({"allowed_models": ["@openai"]}, "allowed_models[0]"),
        ({"allowed_models": ["gpt-*-mini"]}, "allowed_models[0]"),
        ({"allowed_models": ["gpt-4o"], "default_model": "claude-sonnet-4-5"}, "default_model"),
        ({"allowed_models": ["@openai/*"], "default_model": "@anthropic/m"}, "default_model"),
        ({"default_model": "gpt-*"}, "default_model"),
        ({"status": "archived"}, "status"),
        ({"tier": ""}, "tier"),
        ({"downgrade": {"at": 0.9}}, "downgrade"),
        ({"downgrade": {"at": 0, "models": {"a": "b"}}}, "downgrade.at"),
        ({"downgrade": {"at": 1.1, "models": {"a": "b"}}}, "downgrade.at"),
        ({"downgrade": {"at": 0.9, "models": {"a": "a"}}}, "downgrade.models.a"),
        ({"downgrade": {"models": {"a": "b", "b": "c", "c": "a"}}}, "downgrade.models.a"),
        ({"downgrade": {"models": {"a": "b", "b": "c", "c": "b"}}}, "downgrade.models.a"),
        ({"downgrade": {"models": {"a": "b*"}}}, "downgrade.models.a"),
        ({"downgrade": {"models": {"a": "b"}, "form": 0.9}}, "downgrade.form"),
    ],
)
async def test_what_it_cannot_be_is_refused_by_name(world: World, fields: dict[str, Any], param: str) -> None:
    """400, when it is made and when it is changed, and nothing is kept of it."""
    made = await world.call("POST", "/v1/admin/tenants", {"tenant_id": "acme", "workspace_id": "default", **fields})
    assert (made.status, made.json["error"]["param"]) == (400, param)
    before = await create(world)
    changed = await world.call("PUT", "/v1/admin/tenants/acme", fields)
    assert (changed.status, changed.json["error"]["param"]) == (400, param)
    assert await world.ok("GET", "/v1/admin/tenants/acme") == before


async def test_a_budget_below_its_alert_is_refused_in_the_short_spelling(world: World) -> None:
    """The alert would never be told: the way out is in the message."""
    await create(world, usage_limits={"credit_limit": 100, "periodic_reset": "monthly", "alert_threshold": 80})
    reply = await world.call("PUT", "/v1/admin/tenants/acme", {"monthly_budget_usd": 50})
    assert (reply.status, reply.json["error"]["param"]) == (400, "monthly_budget_usd")
    assert "alert_threshold" in reply.json["error"]["message"]


async def test_it_cannot_be_deleted_while_it_has_keys(world: World) -> None:
    """409 names how many, and the way out; once they are revoked it goes, with its webhooks."""
    await create(world)
    hook = {"url": "http://127.0.0.1:8099/", "tenant_id": "acme"}
    await world.ok("POST", "/v1/admin/webhooks", hook)
    key, _ = await customer_key(world, "default", tenant_id="acme")
    refused = await world.call("DELETE", "/v1/admin/tenants/acme")
    assert refused.status == 409
    assert "1 API key." in refused.json["message"]
    assert "suspended" in refused.json["message"]
    await world.ok("DELETE", f"/v1/api-keys/{key}")
    await world.ok("DELETE", "/v1/admin/tenants/acme")
    assert (await world.ok("GET", "/v1/admin/webhooks"))["total"] == 0
    again = await create(world)
    assert again["current_spend_usd"] == 0


async def test_a_workspace_s_key_deletes_its_own_only(world: World) -> None:
    """Tenants of another workspace answer as absent ones do."""
    await world.ok("POST", "/v1/admin/workspaces", {"name": "Elsewhere"})
    await create(world, tenant_id="theirs", workspace_id="elsewhere")
    await create(world, tenant_id="ours")
    _, text = await customer_key(world, "default", scopes=["tenants.delete", "tenants.read"])
    told = []
    for name in ("theirs", "nobody"):
        reply = await world.call("DELETE", f"/v1/admin/tenants/{name}", key=text)
        assert reply.status == 404
        told.append(reply.json["message"].replace(name, "X"))
    assert told[0] == told[1]
    await world.ok("DELETE", "/v1/admin/tenants/ours", key=text)
    assert (await world.ok("GET", "/v1/admin/tenants"))["total"] == 1


async def test_what_a_tenant_is_called_and_where_it_is_stays(world: World) -> None:
    """To change it beside something else is refused, not left undone in silence; to say it as it is, is not."""
    await world.ok("POST", "/v1/admin/workspaces", {"name": "other"})
    await world.ok("POST", "/v1/admin/tenants", {"tenant_id": "acme", "workspace_id": "default"})
    path = "/v1/admin/tenants/acme"
    for field, value in (("tenant_id", "globex"), ("workspace_id", "other")):
        reply = await world.call("PUT", path, {field: value, "tier": "pro"})
        assert (reply.status, reply.json["error"]["param"]) == (400, field)
    assert (await world.ok("GET", path))["tier"] is None
    same = {"tenant_id": "acme", "workspace_id": "default", "tier": "pro"}
    assert (await world.ok("PUT", path, same))["tier"] == "pro"


async def test_a_name_in_any_script_makes_a_tenant_of_its_own(world: World) -> None:
    """Without a `tenant_id` one is made from the name, and numbered where that is another's."""
    made = [
        (await world.ok("POST", "/v1/admin/tenants", {"name": name, "workspace_id": "default"}))["tenant_id"]
        for name in ("日本", "日本語", "Acme!", "Acme?")
    ]
    assert made == ["tenant", "tenant-2", "acme", "acme-2"]
