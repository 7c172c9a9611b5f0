"""What was shown can be sent back, changed in one place: nothing else changes by that."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.administration import World, customer_key

BUDGETS = [
    {"type": "cost", "credit_limit": 5, "periodic_reset": "monthly"},
    {"type": "tokens", "credit_limit": 1_000, "periodic_reset_days": 3},
]
RATES = [{"type": "requests", "unit": "rpm", "value": 10}, {"type": "tokens", "unit": "rpd", "value": 7}]
LIMITS = {"usage_limits": BUDGETS, "rate_limits": RATES}
INTEGRATION = {"name": "OpenAI", "slug": "openai", "ai_provider_id": "openai", "key": "sk-secret-0001"}
PROVIDERS = "/v1/providers?workspace_id=default"
PROVIDER = "/v1/providers/openai?workspace_id=default"
ACCESS = "/v1/integrations/openai/workspaces"
OWNERS = ("key", "provider", "listed provider", "access", "global access")


class Owner:
    """Something with several limits, as it is read and written."""

    def __init__(self, world: World, read: str, write: str, at: tuple[str | int, ...]) -> None:
        self._world, self._read, self._write, self._at = world, read, write, at

    async def shown(self) -> dict[str, Any]:
        found = await self._world.ok("GET", self._read)
        for step in self._at:
            found = found[step]
        return dict(found)

    async def put(self, changed: Mapping[str, Any]) -> None:
        body: Any = changed
        if self._read == ACCESS:
            body = {"workspaces": [changed]} if self._at[0] == "workspaces" else {self._at[0]: changed}
        await self._world.ok("PUT", self._write, body)

    async def limits(self) -> list[list[Any]]:
        """Its budgets' caps and its rates' values."""
        found = await self.shown()
        rates = found.get("rate_limits_list", found["rate_limits"])
        return [[each["credit_limit"] for each in found["usage_limits_list"]], [each["value"] for each in rates]]


async def owner(world: World, which: str) -> Owner:
    await world.ok("POST", "/v1/integrations", INTEGRATION)
    access = {"enabled": True, **(LIMITS if "access" in which else {})}
    body = {"workspaces": [{"id": "default", **access}], "global_workspace_access": access}
    await world.ok("PUT", ACCESS, body)
    match which:
        case "key":
            key_id, _ = await customer_key(world, "default", **LIMITS)
            return Owner(world, f"/v1/api-keys/{key_id}", f"/v1/api-keys/{key_id}", ())
        case "access":
            return Owner(world, ACCESS, ACCESS, ("workspaces", 0))
        case "global access":
            return Owner(world, ACCESS, ACCESS, ("global_workspace_access",))
    await world.ok("POST", "/v1/providers", {"name": "n", "slug": "p", **LIMITS, **OF_OPENAI})
    path = "/v1/providers/p?workspace_id=default"
    return Owner(world, path, path, ()) if which == "provider" else Owner(world, PROVIDERS, path, ("data", 1))


OF_OPENAI = {"integration_id": "openai", "workspace_id": "default"}


@pytest.mark.parametrize("which", OWNERS)
async def test_limits_stay_that_an_sdk_does_not_see(world: World, which: str) -> None:
    """An SDK takes the first only. The others are not lost when all is sent back, as it was or with another first."""
    found = await owner(world, which)
    assert await found.limits() == [[5, 1_000], [10, 7]]
    await found.put(await found.shown())
    assert await found.limits() == [[5, 1_000], [10, 7]]
    shown = await found.shown()
    await found.put({**shown, "usage_limits": {**shown["usage_limits"], "credit_limit": 6}})
    assert await found.limits() == [[6, 1_000], [10, 7]]
    shown = await found.shown()
    first, second = shown["usage_limits_list"]
    await found.put({**shown, "usage_limits_list": [first, {**second, "credit_limit": 2_000}]})
    assert await found.limits() == [[6, 2_000], [10, 7]]
    await found.put({**(await found.shown()), "usage_limits": None})
    assert await found.limits() == [[], [10, 7]]
    await found.put({**(await found.shown()), "usage_limits_list": BUDGETS})
    assert await found.limits() == [[5, 1_000], [10, 7]]


async def test_one_limit_alone_takes_the_place_of_all(world: World) -> None:
    """As it is written; what is wrong in a list is named there."""
    found = await owner(world, "key")
    await found.put({"usage_limits": {"credit_limit": 9}})
    assert await found.limits() == [[9], [10, 7]]
    with pytest.raises(AssertionError, match=r"usage_limits_list\[0\]\.credit_limit"):
        await found.put({"usage_limits_list": [{"credit_limit": -1}]})


async def test_a_config_of_the_organization_can_be_sent_back(world: World) -> None:
    """That it is no workspace's default is no change."""
    made = await world.ok("POST", "/v1/configs", {"name": "careful", "config": {"retry": {"attempts": 2}}})
    shown = await world.ok("GET", f"/v1/configs/{made['slug']}")
    await world.ok("PUT", f"/v1/configs/{made['slug']}", {**shown, "name": "very careful"})
    assert (await world.ok("GET", f"/v1/configs/{made['slug']}"))["name"] == "very careful"


async def test_what_is_over_is_no_obstacle(world: World) -> None:
    """A key that has expired, whose rotation is overdue, and a provider that has expired: another name for them."""
    await world.ok("POST", "/v1/integrations", INTEGRATION)
    await world.ok("PUT", ACCESS, {"workspaces": [{"id": "default", "enabled": True}]})
    soon = {"expires_at": "2027-01-15T09:00:00.123456Z"}
    rotation = {"rotation_policy": {"rotation_period": "weekly", "next_rotation_at": "2027-01-15T09:00:00Z"}}
    key_id, _ = await customer_key(world, "default", **soon, **rotation)
    await world.ok("POST", "/v1/providers", {"name": "n", "slug": "p", **soon, **OF_OPENAI})
    world.clock.move(7_200)
    for path in (f"/v1/api-keys/{key_id}", "/v1/providers/p?workspace_id=default"):
        shown = await world.ok("GET", path)
        await world.ok("PUT", path, {**shown, "name": "renamed"})
        after = await world.ok("GET", path)
        assert (after["name"], after["expires_at"], after["status"]) == ("renamed", shown["expires_at"], "expired")
        refused = await world.call("PUT", path, {**shown, "expires_at": "2027-01-15T09:30:00Z"})
        assert (refused.status, refused.json["error"]["param"]) == (400, "expires_at")


async def test_what_is_settled_when_it_is_made_is_not_changed_in_silence(world: World) -> None:
    """What belongs where, of which kind and by which name: sent as it is, it is taken; sent otherwise, it is refused by
    name, and nothing else that was sent is done."""
    await world.ok("POST", "/v1/admin/workspaces", {"name": "other"})
    await world.ok("POST", "/v1/admin/tenants", {"tenant_id": "acme", "workspace_id": "default"})
    await world.ok("POST", "/v1/integrations", INTEGRATION)
    await world.ok("PUT", ACCESS, {"workspaces": [{"id": "default", "enabled": True}]})
    budget = {"name": "n", "workspace_id": "default", "type": "cost", "credit_limit": 1}
    policy = await world.ok("POST", "/v1/policies/usage-limits", budget)
    hook = await world.ok(
        "POST", "/v1/admin/webhooks", {"url": "https://hooks.example.com/x", "workspace_id": "default"}
    )
    for path, named, others in (
        ("/v1/integrations/openai", "name", {"slug": "x", "ai_provider_id": "anthropic", "workspace_id": "default"}),
        (PROVIDER, "name", {"slug": "x", "integration_id": "x", "workspace_id": "other"}),
        (f"/v1/policies/usage-limits/{policy['id']}", "name", {"workspace_id": "other"}),
        (f"/v1/admin/webhooks/{hook['id']}", "description", {"workspace_id": "other", "tenant_id": "acme"}),
    ):
        shown = await world.ok("GET", path)
        await world.ok("PUT", path, {**shown, named: "renamed"})
        for field, value in others.items():
            refused = await world.call("PUT", path, {field: value, named: "not this"})
            assert (refused.status, refused.json["error"]["param"]) == (400, field), path
        assert (await world.ok("GET", path))[named] == "renamed"
