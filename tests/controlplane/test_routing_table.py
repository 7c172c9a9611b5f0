"""The routing table through the API: set at three levels, seen by the next call, kept in the audit log."""

from tests.support.administration import World, customer_key

TIERS = {"free": {"simple": "cheap", "complex": "cheap"}, "pro": {"simple": "cheap", "complex": "dear"}}


async def test_the_tables_of_all_levels_reach_the_policy_at_once(world: World) -> None:
    """Tenant over workspace over organization; what is taken away is inherited again."""
    tenant = {"tenant_id": "acme", "name": "Acme", "workspace_id": "default", "tier": "pro"}
    await world.ok("POST", "/v1/admin/tenants", tenant)
    _, text = await customer_key(world, "default", tenant_id="acme")
    assert (await world.directory.authenticate(text)).routing is None
    await world.ok("PUT", "/v1/admin/organisation", {"routing_table": {"tiers": TIERS}})
    await world.ok("PUT", "/v1/admin/workspaces/default", {"routing_table": {"complexity": {"length": 9}}})
    own = {"tiers": {"pro": "own"}}
    assert (await world.ok("PUT", "/v1/admin/tenants/acme", {"routing_table": own}))["routing_table"] == {
        "tiers": {"pro": {"simple": "own", "complex": "own"}}
    }
    found = (await world.directory.authenticate(text)).routing
    assert found is not None
    assert (found.model("pro", "complex"), found.model("free", "complex"), found.complexity.length) == (
        "own",
        "cheap",
        9,
    )
    await world.ok("PUT", "/v1/admin/tenants/acme", {"routing_table": None})
    found = (await world.directory.authenticate(text)).routing
    assert found is not None
    assert found.model("pro", "complex") == "dear"


async def test_the_organization_shows_its_table_and_the_log_keeps_it(world: World) -> None:
    """And what it cannot be is refused by name."""
    changed = await world.ok("PUT", "/v1/admin/organisation", {"routing_table": {"tiers": TIERS}})
    assert changed["routing_table"] == {"tiers": TIERS}
    assert await world.ok("GET", "/v1/admin/organisation") == changed
    assert '"complex":"dear"' in (await world.audit())[-1].body.replace(" ", "")
    refused = await world.call("PUT", "/v1/admin/organisation", {"routing_table": {"tiers": {"free": {"easy": "m"}}}})
    assert (refused.status, refused.json["error"]["param"]) == (400, "routing_table.tiers.free.easy")
