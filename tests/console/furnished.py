"""An installation that has one of everything, for tests of all pages, and the pages there are to look at."""

from typing import Any

from headgate.console.pages import PAGES
from tests.controlplane.test_analytics import call, written
from tests.support.administration import World, customer_key
from tests.support.people import invited

SECRET = "sk-a-very-secret-credential-1234"
HOUR = 3_600 * 1_000_000_000


QUERIES = {
    "/integrations/{integration}/access": "?workspace=place",
    "/models/price": "?provider=openai&model=gpt-4o",
}
"""Of pages that show nothing without."""
FILES = frozenset({"/audit/file"})
"""Taken away, not looked at."""


async def customer(world: World, name: str = "Acme", **fields: Any) -> tuple[str, str]:
    """A tenant and a key of it, with two calls: the ids."""
    workspace = await world.ok("POST", "/v1/admin/workspaces", {"name": f"Workspace of {name}", "slug": "place"})
    body = {"name": name, "tenant_id": "acme", "workspace_id": workspace["id"], **fields}
    tenant = await world.ok("POST", "/v1/admin/tenants", body)
    key_id, _ = await customer_key(world, workspace["id"], name=name, tenant_id=tenant["id"])
    of = {"tenant_id": tenant["id"], "key_id": key_id}
    lines = [("input", 10, 500_000_000, 5_000_000), ("output", 5, 1_000_000_000, 5_000_000)]
    held = {"held_after": 1_000_000, "held": (10, 100, 60_000_000), "first_byte_after": 45_000_000}
    now = world.clock.now()
    good = call(
        1, world, workspace["id"], 0, started_at=now - HOUR, cost_lines=lines, metadata={name: name}, **held, **of
    )
    ill = {"started_at": now - 2 * HOUR, "status": 500, "error": name, "model_asked": name}
    bad = call(2, world, workspace["id"], 0, cost=0, **ill, **of)
    await written(world, [good, bad])
    return tenant["id"], key_id


async def furnished(world: World, name: str = "Acme") -> dict[str, str]:
    """What stands in the paths of pages, by its name there. Everything that has a name has this one."""
    tenant, key = await customer(world, name, tier=name)
    await integration(world, name)
    policy = {"name": name, "workspace_id": "place", "group_by": [{"key": f"metadata.{_word(name)}"}]}
    made = await world.ok("POST", "/v1/policies/usage-limits", policy | {"type": "cost", "credit_limit": 3})
    of_calls = {"workspace": "place", "tenant": tenant, "key": key, "request": f"req_{1:032x}"}
    _, token = await invited(world, "seen@example.com", workspaces=[{"id": "place", "role": "member"}])
    accepted = {"token": token, "first_name": name, "last_name": name}
    user = await world.ok("POST", "/v1/admin/users/invites/accept", accepted, key="")
    invite, _ = await invited(world, "asked@example.com")
    link = await world.ok("POST", "/v1/admin/tenants/acme/portal-sessions", {"name": name})
    targets = {"targets": [{"name": name, "provider": "@ours"}]}
    config = await world.ok("POST", "/v1/configs", {"name": name, "workspace_id": "place", "config": targets})
    checks = [{"id": "default.contains", "name": name, "parameters": {"words": [name], "operator": "none"}}]
    guard = await world.ok("POST", "/v1/guardrails", {"name": name, "workspace_id": "place", "checks": checks})
    at = {"url": "https://hooks.example.com/in", "description": name, "workspace_id": "place"}
    hook = await world.ok("POST", "/v1/admin/webhooks", at)
    delivery = await world.ok("POST", f"/v1/admin/webhooks/{hook['id']}/test")
    routes = {"config": config["slug"], "guardrail": guard["slug"]}
    told = {"webhook": hook["id"], "delivery": delivery["id"]}
    people = {"user": user["id"], "invite": invite, "session": link["id"]}
    return {**of_calls, **people, **routes, **told, "integration": "ours", "kind": "budgets", "policy": made["id"]}


def _word(name: str) -> str:
    """A metadata key takes no quotes."""
    return name if name.isalnum() else "user"


async def integration(world: World, name: str = "Ours", **fields: Any) -> None:
    """`ours`, which the workspace `place` has, with a model and a budget."""
    body = {"name": name, "slug": "ours", "ai_provider_id": "openai", "key": SECRET, "description": name, **fields}
    await world.ok("POST", "/v1/integrations", body)
    budget = {"type": "cost", "credit_limit": 7, "periodic_reset": "monthly"}
    given = {"id": "place", "enabled": True, "usage_limits": [budget]}
    await world.ok("PUT", "/v1/integrations/ours/workspaces", {"workspaces": [given]})
    price = {"pay_as_you_go": {"request_token": {"price": 0.001}}}
    model = {"slug": name, "enabled": True, "is_custom": True, "pricing_config": price}
    await world.ok("PUT", "/v1/integrations/ours/models", {"models": [model]})


def paths(values: dict[str, str]) -> list[str]:
    """Every page there is to look at."""
    return [
        "/console" + path.format(**values) + QUERIES.get(path, "")
        for method, path, _, _ in PAGES
        if method == "GET" and path not in FILES
    ]
