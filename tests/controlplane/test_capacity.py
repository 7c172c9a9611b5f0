"""An integration's capacity and a tenant's weight, as administrators write them."""

import json
from typing import Any

import pytest

from headgate.tenancy.capacity import Capacity
from tests.support.administration import World, customer_key

FIGURES = {"max_concurrency": 20, "tokens_per_minute": 200_000, "max_wait_ms": 5_000}
WHOLE = {**FIGURES, "requests_per_minute": None, "learned": False, "max_waiting": 1_000, "max_waiting_per_tenant": 100}


async def make(world: World, **configurations: object) -> None:
    body = {"name": "Own", "slug": "own", "ai_provider_id": "openai", "key": "k", "configurations": configurations}
    await world.ok("POST", "/v1/integrations", {**body, "workspace_id": "default"})


async def change(world: World, **configurations: object) -> None:
    await world.ok("PUT", "/v1/integrations/own", {"configurations": configurations})


async def capacity(world: World) -> Any:
    return (await world.ok("GET", "/v1/integrations/own"))["configurations"]["capacity"]


async def in_force(world: World, key: str) -> Capacity | None:
    return (await world.directory.authenticate(key)).providers["own"].capacity


async def test_it_is_kept_shown_and_in_force(world: World) -> None:
    """With what holds where nothing was written; another change leaves it, null takes it away; all in the audit log."""
    await make(world)
    _, key = await customer_key(world, "default")
    assert (await capacity(world), await in_force(world, key)) == (None, None)
    await change(world, capacity=FIGURES)
    assert await capacity(world) == WHOLE
    assert await in_force(world, key) == Capacity(max_concurrency=20, tokens_per_minute=200_000, max_wait_ms=5_000)
    await change(world, openai_project="project")
    await world.ok("PUT", "/v1/integrations/own", {"name": "Our own"})
    assert await capacity(world) == WHOLE
    assert json.loads((await world.audit())[-1].body)["capacity"] == WHOLE
    await change(world, capacity={"learned": True})
    assert await in_force(world, key) == Capacity(learned=True)
    await change(world, capacity=None)
    assert (await capacity(world), await in_force(world, key)) == (None, None)


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        (7, ""),
        ({}, ""),
        ({"max_wait_ms": 5}, ""),
        ({"concurrency": 3}, ".concurrency"),
        ({"max_concurrency": 0}, ".max_concurrency"),
        ({"requests_per_minute": 1.5}, ".requests_per_minute"),
        ({"max_concurrency": 5, "max_wait_ms": 60_001}, ".max_wait_ms"),
        ({"max_concurrency": 5, "learned": True}, ".learned"),
        ({"learned": "yes"}, ".learned"),
    ],
    ids=["a number", "empty", "no figure", "misspelt", "zero", "broken", "too long", "both", "no flag"],
)
async def test_what_it_cannot_be_is_refused_by_name(world: World, wrong: object, param: str) -> None:
    """With the field at fault, and nothing is changed."""
    await make(world, capacity=FIGURES)
    refused = await world.call("PUT", "/v1/integrations/own", {"configurations": {"capacity": wrong}})
    assert (refused.status, refused.json["error"]["param"]) == (400, f"configurations.capacity{param}")
    assert await capacity(world) == WHOLE


async def test_a_model_s_own_address_is_another_provider(world: World) -> None:
    """The capacity of the integration's is not its."""
    await make(world, capacity=FIGURES)
    _, key = await customer_key(world, "default")
    model = {
        "slug": "mine",
        "enabled": True,
        "is_custom": True,
        "configurations": {"custom_host": "http://10.0.0.1/v1"},
    }
    await world.ok("PUT", "/v1/integrations/own/models", {"models": [model]})
    provider = (await world.directory.authenticate(key)).providers["own"]
    assert provider.capacity is not None
    assert provider.elsewhere["mine"].capacity is None


async def test_a_tenants_weight_is_the_organization_s_to_set(world: World) -> None:
    """One where nothing is said; a workspace's key can neither raise its own customers' nor loses it by a change."""
    scopes = ["tenants.create", "tenants.read", "tenants.update"]
    body = {"name": "keeper", "workspace_id": "default", "scopes": scopes}
    keeper = (await world.ok("POST", "/v1/api-keys/workspace/service", body))["key"]
    made = await world.ok("POST", "/v1/admin/tenants", {"tenant_id": "acme"}, key=keeper)
    assert made["weight"] == 1
    path = "/v1/admin/tenants/acme"
    assert (await world.call("PUT", path, {"weight": 9}, key=keeper)).status == 403
    assert (await world.ok("PUT", path, {"weight": 9}))["weight"] == 9
    assert (await world.ok("PUT", path, {"tier": "pro", "weight": 9}, key=keeper))["weight"] == 9
    _, text = await customer_key(world, "default", tenant_id="acme")
    tenant = (await world.directory.authenticate(text)).tenant
    assert tenant is not None
    assert tenant.weight == 9


@pytest.mark.parametrize("wrong", [0, 1_001, 1.5, "much"], ids=str)
async def test_a_weight_is_a_whole_number(world: World, wrong: object) -> None:
    """Between 1 and 1,000."""
    body = {"tenant_id": "acme", "workspace_id": "default", "weight": wrong}
    refused = await world.call("POST", "/v1/admin/tenants", body)
    assert (refused.status, refused.json["error"]["param"]) == (400, "weight")
