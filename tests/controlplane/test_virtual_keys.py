"""Virtual keys: a workspace's own integration and its provider, made and changed as one."""

from typing import Any

import pytest

from tests.support.administration import World, customer_key

SECRET = "sk-never-to-be-seen-again-0001"
KEEPER = [f"virtual_keys.{verb}" for verb in ("create", "read", "update", "delete", "list")]


async def _make(world: World, key: str | None = None, **fields: Any) -> dict[str, Any]:
    body = {"name": "v", "provider": "openai", "key": SECRET, "workspace_id": "default", **fields}
    made: dict[str, Any] = await world.ok("POST", "/v1/virtual-keys", body, key=key)
    return made


async def _secret(world: World, slug: str) -> str:
    _, text = await customer_key(world, "default")
    return (await world.directory.authenticate(text)).providers[slug].secret.reveal()


async def test_it_can_be_called_at_once(world: World) -> None:
    """Integration and provider are there, the slug both wrapped in `data` and not, and the credential nowhere."""
    made = await _make(world, usage_limits={"credit_limit": 10}, note="old")
    assert (made["slug"], made["data"]["slug"], made["success"]) == ("v", "v", True)
    assert await _secret(world, "v") == SECRET
    shown = await world.call("GET", "/v1/virtual-keys/v")
    assert shown.json["data"]["note"] == shown.json["note"] == "old"
    assert (shown.json["provider"], shown.json["key"], shown.json["status"]) == ("openai", "sk-…0001", "active")
    assert shown.json["usage_limits"]["credit_limit"] == 10
    listed = await world.call("GET", "/v1/virtual-keys?workspace_id=default")
    assert (listed.json["total"], listed.json["data"][0]["slug"]) == (1, "v")
    audited = b"".join(entry.body.encode() for entry in await world.audit())
    assert SECRET.encode() not in shown.body + listed.body + audited
    assert (await world.ok("GET", "/v1/providers/v"))["object"] == "provider"
    assert (await world.ok("GET", "/v1/integrations?type=workspace"))["total"] == 1


async def test_its_credential_and_its_limits_are_changed_in_one(world: World) -> None:
    """What was not sent stays."""
    await _make(world, note="old")
    body = {"key": "sk-another-credential-0002", "rate_limits": [{"type": "requests", "unit": "rpm", "value": 1}]}
    assert (await world.ok("PUT", "/v1/virtual-keys/v", body))["slug"] == "v"
    assert await _secret(world, "v") == "sk-another-credential-0002"
    shown = await world.ok("GET", "/v1/virtual-keys/v")
    assert (shown["note"], shown["rate_limits"]) == ("old", body["rate_limits"])


async def test_it_goes_with_its_credential_unless_that_is_still_used(world: World) -> None:
    """Another provider on the same integration keeps it."""
    await _make(world)
    integration = (await world.ok("GET", "/v1/integrations"))["data"][0]["slug"]
    second = {"name": "second", "integration_id": integration, "workspace_id": "default"}
    await world.ok("POST", "/v1/providers", second)
    await world.ok("DELETE", "/v1/virtual-keys/v")
    assert await _secret(world, "second") == SECRET
    await world.ok("DELETE", "/v1/virtual-keys/second")
    assert (await world.ok("GET", "/v1/integrations"))["total"] == 0


async def test_a_provider_of_the_organization_is_no_virtual_key(world: World) -> None:
    """Whoever may change virtual keys cannot put a credential of their own into it, nor delete it."""
    body = {"name": "shared", "slug": "shared", "ai_provider_id": "openai", "key": SECRET}
    await world.ok("POST", "/v1/integrations", body)
    access = {"workspaces": [{"id": "default", "enabled": True}]}
    await world.ok("PUT", "/v1/integrations/shared/workspaces", access)
    minted = {"name": "keeper", "workspace_id": "default", "scopes": KEEPER}
    keeper = (await world.ok("POST", "/v1/api-keys/workspace/service", minted))["key"]
    assert (await world.ok("GET", "/v1/virtual-keys", key=keeper))["total"] == 0
    for method, change in (("GET", None), ("PUT", {"key": "sk-mine"}), ("DELETE", None)):
        assert (await world.call(method, "/v1/virtual-keys/shared", change, key=keeper)).status == 404
    assert await _secret(world, "shared") == SECRET
    made = await _make(world, keeper, workspace_id=None)
    assert await _secret(world, made["slug"]) == SECRET


async def test_workspaces_do_not_learn_of_each_other_s_names(world: World) -> None:
    """The same name is free in every workspace."""
    await world.ok("POST", "/v1/admin/workspaces", {"name": "second"})
    assert (await _make(world))["slug"] == (await _make(world, workspace_id="second"))["slug"] == "v"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"provider": "no-such"}, "provider"),
        ({"key": None}, "key"),
        ({"resourceName": "x"}, "resourceName"),
        ({"workspace_id": None}, "workspace_id"),
    ],
)
async def test_a_bad_one_names_the_field(world: World, fields: dict[str, Any], param: str) -> None:
    """Nothing is left of it: it is made as a whole or not at all."""
    body = {"name": "v", "provider": "openai", "key": SECRET, "workspace_id": "default", **fields}
    reply = await world.call("POST", "/v1/virtual-keys", body)
    assert (reply.status, reply.json["error"]["param"]) == (400, param)
    assert (await world.ok("GET", "/v1/integrations"))["total"] == 0
