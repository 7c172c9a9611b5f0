"""The multi-tenant guide's flow, as its SDK sends it."""

from typing import Any

from headgate.ledger.allowance import Resource, WindowKind
from tests.support.administration import World

TIERS = {"enterprise": (500, 1000), "professional": (100, 100), "starter": (25, 10)}


async def _provider(world: World) -> None:
    for tier in TIERS:
        workspace = {
            "name": f"workspace-{tier}",
            "description": tier,
            "defaults": {"metadata": {"tier": tier, "budget": 500}},
        }
        await world.ok("POST", "/v1/admin/workspaces", workspace)
    integration = {
        "name": "OpenAI",
        "description": "d",
        "key": "sk-secret-of-the-provider-0001",
        "ai_provider_id": "openai",
        "slug": "openai-prod",
        "configurations": {"custom_host": "http://127.0.0.1:9009/v1"},
    }
    assert (await world.ok("POST", "/v1/integrations", integration))["slug"] == "openai-prod"
    limits = [
        {
            "id": f"workspace-{tier}",
            "enabled": True,
            "usage_limits": [
                {"type": "cost", "credit_limit": usd, "alert_threshold": usd * 0.8, "periodic_reset": "monthly"}
            ],
            "rate_limits": [{"type": "requests", "unit": "rpm", "value": rpm}],
        }
        for tier, (usd, rpm) in TIERS.items()
    ]
    body: dict[str, Any] = {
        "global_workspace_access": {"enabled": False},
        "override_existing_workspaces_access": True,
        "workspaces": limits,
    }
    assert await world.ok("PUT", "/v1/integrations/openai-prod/workspaces", body) == {}
    models = {"allow_all_models": False, "models": [{"slug": "gpt-4o", "enabled": True}]}
    assert await world.ok("PUT", "/v1/integrations/openai-prod/models", models) == {}


async def _key(world: World, email: str) -> Any:
    body = {
        "type": "workspace",
        "sub-type": "service",
        "name": f"Service Key for {email}",
        "workspace_id": "workspace-professional",
        "rate_limits": [{"type": "requests", "unit": "rpm", "value": 100}],
        "usage_limits": {"credit_limit": 100.0, "type": "cost", "periodic_reset": "monthly", "alert_threshold": 80},
        "scopes": ["completions.write"],
        "defaults": {"metadata": {"user_email": email}},
    }
    return await world.ok("POST", "/v1/api-keys/workspace/service", body)


async def test_the_guide_from_its_first_step_to_the_policy_of_a_customer(world: World) -> None:
    """Workspaces, integration, provisioning, models and a customer's key; the policy says what all of them said."""
    await _provider(world)
    made = await _key(world, "a@b.c")
    assert set(made) == {"id", "key", "object"}
    assert made["object"] == "api-key"

    policy = await world.directory.authenticate(made["key"])
    assert policy.workspace_slug == "workspace-professional"
    assert policy.metadata == {"user_email": "a@b.c", "tier": "professional", "budget": "500"}
    assert {(each.resource, each.cap) for each in policy.allowances} == {
        (Resource.COST, 100_000_000_000),
        (Resource.REQUESTS, 100),
    }
    provider = policy.providers["openai-prod"]
    assert provider.base_url == "http://127.0.0.1:9009/v1"
    assert provider.secret.reveal() == "sk-secret-of-the-provider-0001"
    assert provider.models.allows("gpt-4o")
    assert not provider.models.allows("gpt-5")
    budget, rate = provider.allowances
    assert (budget.cap, budget.window.kind, budget.window.unit) == (100_000_000_000, WindowKind.CALENDAR, "month")
    assert (rate.cap, rate.window.seconds) == (100, 60)


async def test_workspaces_are_listed_as_the_guide_reads_them(world: World) -> None:
    """`.data[i].id/.slug/.name`, the full count, in both page spellings."""
    await _provider(world)
    listed = await world.ok("GET", "/v1/admin/workspaces?currentPage=0")
    assert (listed["object"], listed["total"]) == ("list", 4)
    assert [each["slug"] for each in listed["data"]][1:] == [f"workspace-{tier}" for tier in TIERS]
    assert all(each["object"] == "workspace" and each["id"] and each["name"] for each in listed["data"])
    for query in ("currentPage=1&pageSize=3", "current_page=1&page_size=3"):
        page = await world.ok("GET", f"/v1/admin/workspaces?{query}")
        assert (page["total"], [each["name"] for each in page["data"]]) == (4, ["workspace-starter"])


async def test_the_limits_script_finds_every_customer(world: World) -> None:
    """One list without a page size shows all keys, each in the shape that the SDK does not fail on."""
    await _provider(world)
    for number in range(120):
        await _key(world, f"customer-{number}@b.c")
    listed = await world.ok("GET", "/v1/api-keys?current_page=0&workspace_id=workspace-professional")
    assert listed["total"] == len(listed["data"]) == 120
    key = next(each for each in listed["data"] if each["defaults"]["metadata"]["user_email"] == "customer-77@b.c")
    assert key["usage_limits"] == {
        "type": "cost",
        "credit_limit": 100,
        "alert_threshold": 80,
        "alert_thresholds": None,
        "periodic_reset": "monthly",
        "periodic_reset_days": None,
        "current_usage": 0,
        "held": 0,
        "remaining": 100,
        "status": "active",
        "last_reset_at": "2027-01-01T00:00:00.000Z",
        "next_usage_reset_at": "2027-02-01T00:00:00.000Z",
    }
    assert key["rate_limits"] == [{"type": "requests", "unit": "rpm", "value": 100}]
    assert (key["type"], key["status"], key["object"]) == ("workspace-service", "active", "api-key")
    assert isinstance(key["created_at"], str)


async def test_provisioning_shows_objects_where_the_sdk_takes_no_arrays(world: World) -> None:
    """`usage_limits` and `rate_limits` are objects; the full arrays stand beside them."""
    await _provider(world)
    shown = await world.ok("GET", "/v1/integrations/openai-prod/workspaces")
    assert shown["total"] == 3
    starter = next(each for each in shown["workspaces"] if each["slug"] == "workspace-starter")
    assert starter["usage_limits"]["credit_limit"] == 25
    assert starter["rate_limits"] == {"type": "requests", "unit": "rpm", "value": 10}
    assert starter["usage_limits_list"] == [starter["usage_limits"]]
    assert shown["global_workspace_access"]["enabled"] is False


async def test_everything_is_there_without_the_version_prefix(world: World) -> None:
    """A base URL without `/v1` works as well."""
    made = await world.ok("POST", "/admin/workspaces", {"name": "Plain"})
    assert (await world.ok("GET", f"/admin/workspaces/{made['slug']}"))["id"] == made["id"]
    assert (await world.ok("GET", "/api-keys"))["total"] == 1
    assert (await world.ok("GET", "/integrations"))["data"] == []
