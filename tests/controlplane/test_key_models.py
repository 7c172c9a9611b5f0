"""Keys that may use only some of what their workspace has."""

from typing import Any

import pytest

from headgate.base.errors import ModelNotAllowed
from headgate.routing.resolve import allowed_models, resolve
from headgate.tenancy.policy import Policy
from tests.support.administration import CATALOG, World, customer_key

MINTER = ["workspace_service_api_keys.create", "workspace_service_api_keys.update", "workspace_service_api_keys.rotate"]


async def _integrate(world: World) -> None:
    body = {"name": "OpenAI", "slug": "openai", "ai_provider_id": "openai", "key": "sk-1"}
    await world.ok("POST", "/v1/integrations", body)
    access = {"workspaces": [{"id": "default", "enabled": True}]}
    await world.ok("PUT", "/v1/integrations/openai/workspaces", access)


async def _policy(world: World, **fields: Any) -> Policy:
    _, text = await customer_key(world, "default", **fields)
    return await world.directory.authenticate(text)


def _allowed(world: World, policy: Policy) -> list[str]:
    return [model for _, model in allowed_models(policy, CATALOG, world.clock.now())]


async def test_a_key_uses_what_it_was_made_for(world: World) -> None:
    """By `@provider/model`, by model or by a beginning; everything else is refused with what is allowed."""
    await _integrate(world)
    policy = await _policy(world, allowed_models=["@openai/gpt-4o", "o3"])
    assert _allowed(world, policy) == ["gpt-4o", "o3"]
    with pytest.raises(ModelNotAllowed) as refused:
        resolve(policy, CATALOG, "@openai/gpt-4o-mini", None, "openai_chat", world.clock.now())
    assert refused.value.details["allowed"] == ["@openai/gpt-4o", "@openai/o3"]
    beginnings = _allowed(world, await _policy(world, allowed_models=["gpt-4o*"]))
    assert len(beginnings) > 2
    assert all(model.startswith("gpt-4o") for model in beginnings)


async def test_it_is_shown_changed_and_cleared(world: World) -> None:
    """From the next call on."""
    await _integrate(world)
    key_id, text = await customer_key(world, "default", allowed_models=["gpt-4o"])
    assert (await world.ok("GET", f"/v1/api-keys/{key_id}"))["allowed_models"] == ["gpt-4o"]
    await world.ok("PUT", f"/v1/api-keys/{key_id}", {"allowed_models": ["o3"]})
    assert _allowed(world, await world.directory.authenticate(text)) == ["o3"]
    await world.ok("PUT", f"/v1/api-keys/{key_id}", {"name": "still"})
    assert _allowed(world, await world.directory.authenticate(text)) == ["o3"]
    await world.ok("PUT", f"/v1/api-keys/{key_id}", {"allowed_models": None})
    assert len(_allowed(world, await world.directory.authenticate(text))) > 10


async def test_a_list_that_allows_nothing_is_refused(world: World) -> None:
    """400 naming the field, and the entry."""
    for value, param in (([], "allowed_models"), (["gpt*4"], "allowed_models[0]"), (["@openai"], "allowed_models[0]")):
        body = {"name": "k", "workspace_id": "default", "scopes": [], "allowed_models": value}
        reply = await world.call("POST", "/v1/api-keys/workspace/service", body)
        assert (reply.status, reply.json["error"]["param"]) == (400, param)


async def test_no_key_gives_more_than_it_has(world: World) -> None:
    """Neither to a new key nor to one that there is, nor by taking a wider one in hand; without a list, its own."""
    await _integrate(world)
    wide_id, _ = await customer_key(world, "default")
    held = ["@openai/gpt-4o*", "o3"]
    body: dict[str, Any] = {"name": "minter", "workspace_id": "default", "scopes": MINTER, "allowed_models": held}
    minter = (await world.ok("POST", "/v1/api-keys/workspace/service", body))["key"]
    new = {"name": "k", "scopes": []}
    made = await world.ok("POST", "/v1/api-keys/workspace/service", new, key=minter)
    assert (await world.ok("GET", f"/v1/api-keys/{made['id']}"))["allowed_models"] == held
    cases = {"o3": 200, "@openai/o3": 200, "@openai/gpt-4o-mini": 200, "gpt-4o": 403, "o*": 403}
    for wanted, status in cases.items():
        body = {**new, "allowed_models": [wanted]}
        reply = await world.call("POST", "/v1/api-keys/workspace/service", body, key=minter)
        assert reply.status == status, wanted
    widened = {"allowed_models": ["*"]}
    assert (await world.call("PUT", f"/v1/api-keys/{made['id']}", widened, key=minter)).status == 403
    assert (await world.call("POST", f"/v1/api-keys/{wide_id}/rotate", {}, key=minter)).status == 403
    await world.ok("POST", f"/v1/api-keys/{made['id']}/rotate", {}, key=minter)
