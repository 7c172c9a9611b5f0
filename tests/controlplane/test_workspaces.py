"""Workspaces and tenants through the API."""

from typing import Any

import pytest

from tests.support.administration import World, customer_key


async def test_slugs_are_made_from_names_and_found_by_either(world: World) -> None:
    """A second name that makes the same slug gets a number; an id finds as well as a slug."""
    first = await world.ok("POST", "/v1/admin/workspaces", {"name": "Team Über!"})
    second = await world.ok("POST", "/v1/admin/workspaces", {"name": "Team Über?"})
    assert (first["slug"], second["slug"]) == ("team-ber", "team-ber-2")
    assert (await world.ok("GET", f"/v1/admin/workspaces/{first['id']}"))["slug"] == "team-ber"
    assert (await world.call("POST", "/v1/admin/workspaces", {"name": "Team Über!"})).status == 409
    for taken in ("team-ber", first["id"]):
        assert (await world.call("POST", "/v1/admin/workspaces", {"name": "C", "slug": taken})).status == 409


async def test_names_are_found_by_part_and_whole(world: World) -> None:
    """With regard to case; a percent sign is a percent sign."""
    for name in ("Alpha", "Alphabet", "100%"):
        await world.ok("POST", "/v1/admin/workspaces", {"name": name})

    async def found(query: str) -> list[str]:
        return [each["name"] for each in (await world.ok("GET", f"/v1/admin/workspaces?{query}"))["data"]]

    assert await found("name=Alpha") == ["Alpha", "Alphabet"]
    assert await found("exact_name=Alpha") == ["Alpha"]
    assert await found("exact_name=Alpha&status=active") == ["Alpha"]
    assert await found("status=archived") == []
    assert await found("name=Alpha&exact_name=true") == ["Alpha"]
    assert await found("name=%25") == ["100%"]
    assert await found("name=alpha") == []
    assert len(await found("name=")) == 4


async def test_a_change_of_limits_reaches_policies_at_once(world: World) -> None:
    """`PUT` replaces the limits that are sent and leaves the rest; null clears them."""
    _, text = await customer_key(world, "default")
    assert (await world.directory.authenticate(text)).allowances == ()
    limits = {"usage_limits": [{"credit_limit": 3, "periodic_reset": "weekly"}], "rate_limits": None}
    changed = await world.ok("PUT", "/v1/admin/workspaces/default", limits)
    assert changed["usage_limits"][0]["periodic_reset"] == "weekly"
    assert changed["name"] == "Default"
    assert [each.cap for each in (await world.directory.authenticate(text)).allowances] == [3_000_000_000]
    await world.ok("PUT", "/v1/admin/workspaces/default", {"usage_limits": None})
    assert (await world.directory.authenticate(text)).allowances == ()


async def test_a_workspace_in_use_is_not_deleted(world: World) -> None:
    """Nor the default one; once its keys are revoked it goes, and the answer is an object."""
    await world.ok("POST", "/v1/admin/workspaces", {"name": "Busy"})
    key_id, _ = await customer_key(world, "busy")
    refused = await world.call("DELETE", "/v1/admin/workspaces/busy", {"workspace_id": "busy", "name": "n2"})
    assert refused.status == 409
    assert "1 API keys" in refused.json["message"]
    assert (await world.call("DELETE", "/v1/admin/workspaces/default")).status == 409
    await world.ok("DELETE", f"/v1/api-keys/{key_id}")
    assert await world.ok("DELETE", "/v1/admin/workspaces/busy", {"workspace_id": "busy", "name": "n2"}) == {}
    assert (await world.call("GET", "/v1/admin/workspaces/busy")).status == 404


@pytest.mark.parametrize(
    ("fields", "status", "param"),
    [
        ({"tenant_id": "acme", "name": "Another"}, 409, "tenant_id"),
        ({"tenant_id": "another", "name": "Acme"}, 409, "name"),
        ({"tenant_id": "a b", "name": "B"}, 400, "tenant_id"),
        ({"tenant_id": "b", "name": "B", "workspace_id": None}, 400, "workspace_id"),
    ],
)
async def test_tenants_are_unique(world: World, fields: dict[str, Any], status: int, param: str) -> None:
    """Their ids in the organization, their names in the workspace."""
    made = await world.ok("POST", "/v1/admin/tenants", {"tenant_id": "acme", "name": "Acme", "workspace_id": "default"})
    assert (made["object"], made["tenant_id"]) == ("tenant", "acme")
    reply = await world.call("POST", "/v1/admin/tenants", {"workspace_id": "default", **fields})
    assert (reply.status, reply.json["error"]["param"]) == (status, param)


async def test_limits_of_a_tenant_bind_all_its_keys(world: World) -> None:
    """Under one counter, whichever of its keys makes the call."""
    tenant = {"tenant_id": "acme", "name": "Acme", "workspace_id": "default", "usage_limits": {"credit_limit": 0.5}}
    await world.ok("POST", "/v1/admin/tenants", tenant)
    policies = []
    for _ in range(2):
        _, text = await customer_key(world, "default", tenant_id="acme")
        policies.append(await world.directory.authenticate(text))
    (first,), (second,) = (policy.allowances for policy in policies)
    assert first == second
    assert (first.scope.kind, first.cap) == ("tenant", 500_000_000)
