"""Metadata schemas on the organization: what the metadata of keys and workspaces must be."""

from typing import Any

import pytest

from tests.support.administration import World, customer_key

GUIDE = {
    "type": "object",
    "required": ["subscription_tier"],
    "properties": {"subscription_tier": {"type": "string", "enum": ["starter", "professional", "enterprise"]}},
}
"""As the guide prints it."""
AT = "defaults.metadata.subscription_tier"


def of_key(metadata: object = None) -> dict[str, Any]:
    defaults = {} if metadata is None else {"defaults": {"metadata": metadata}}
    return {"name": "k", "workspace_id": "default", "scopes": ["completions.write"], **defaults}


async def refused(world: World, method: str, path: str, body: object) -> str:
    """The field at fault."""
    reply = await world.call(method, path, body)
    assert reply.status == 400, reply.body
    assert f"`{reply.json['error']['param']}`" in reply.json["error"]["message"]
    return str(reply.json["error"]["param"])


async def test_the_guide_s_schema_is_enforced(world: World) -> None:
    """R1.2: a key without the field, or with another value, is refused by the field's name; a good one is made."""
    await world.ok("PUT", "/v1/admin/organisation", {"api_key_metadata_schema": GUIDE})
    assert (await world.ok("GET", "/v1/admin/organisation"))["api_key_metadata_schema"] == GUIDE
    path = "/v1/api-keys/workspace/service"
    assert await refused(world, "POST", path, of_key()) == AT
    assert await refused(world, "POST", path, of_key({"user_email": "a@b.c"})) == AT
    assert await refused(world, "POST", path, of_key({"subscription_tier": "gold"})) == AT
    await world.ok("POST", path, of_key({"subscription_tier": "starter", "more": "is welcome"}))
    # An admin key makes no calls: nothing is asked of its metadata.
    await world.ok("POST", "/v1/api-keys/organisation/service", {"name": "admin", "scopes": ["workspaces.list"]})


async def test_objects_that_are_there_are_left_alone_until_they_change(world: World) -> None:
    """R1.3: an existing key goes on; whoever changes it has to conform, and can do both at once."""
    key_id, text = await customer_key(world, "default")
    await world.ok("PUT", "/v1/admin/organisation", {"api_key_metadata_schema": GUIDE})
    assert (await world.directory.authenticate(text)).metadata == {}
    assert await refused(world, "PUT", f"/v1/api-keys/{key_id}", {"name": "new"}) == AT
    metadata = {"subscription_tier": "enterprise"}
    await world.ok("PUT", f"/v1/api-keys/{key_id}", {"name": "new", "defaults": {"metadata": metadata}})
    assert (await world.directory.authenticate(text)).metadata == metadata
    await world.ok("PUT", "/v1/admin/organisation", {"api_key_metadata_schema": None})
    await customer_key(world, "default")


async def test_defaults_are_filled_in(world: World) -> None:
    """What the caller says wins over the default."""
    schema = {"type": "object", "properties": {"env": {"type": "string", "default": "dev"}}, "required": ["env"]}
    await world.ok("PUT", "/v1/admin/organisation", {"api_key_metadata_schema": schema})
    silent, _ = await customer_key(world, "default")
    told, _ = await customer_key(world, "default", defaults={"metadata": {"env": "prod"}})
    for key_id, env in ((silent, "dev"), (told, "prod")):
        assert (await world.ok("GET", f"/v1/api-keys/{key_id}"))["defaults"]["metadata"] == {"env": env}


async def test_workspaces_have_a_schema_of_their_own(world: World) -> None:
    """At creation and at every change; numbers are text before they are looked at (R2.1)."""
    schema = {
        "type": "object",
        "additionalProperties": True,
        "required": ["team"],
        "properties": {"default_monthly_budget": {"type": "string", "pattern": "^[0-9]+$"}},
    }
    await world.ok("PUT", "/v1/admin/organisation", {"workspace_metadata_schema": schema})
    body = {"name": "W", "slug": "w", "defaults": {"metadata": {"team": "a", "default_monthly_budget": "much"}}}
    at = "defaults.metadata.default_monthly_budget"
    assert await refused(world, "POST", "/v1/admin/workspaces", body) == at
    body["defaults"] = {"metadata": {"team": "a", "default_monthly_budget": 500, "vip": True}}
    made = await world.ok("POST", "/v1/admin/workspaces", body)
    assert made["defaults"]["metadata"] == {"team": "a", "default_monthly_budget": "500", "vip": "true"}
    change: dict[str, Any] = {"defaults": {"metadata": {}}}
    assert await refused(world, "PUT", "/v1/admin/workspaces/w", change) == "defaults.metadata.team"
    assert await refused(world, "PUT", "/v1/admin/workspaces/default", {"description": "d"}) == "defaults.metadata.team"
    await customer_key(world, "default")


async def test_a_tenant_cannot_say_what_its_keys_could_not(world: World) -> None:
    """Its metadata lies over theirs: what it says must be allowed, and it need not say all."""
    await world.ok("PUT", "/v1/admin/organisation", {"api_key_metadata_schema": GUIDE})
    body = {"tenant_id": "acme", "name": "Acme", "workspace_id": "default"}
    bad = body | {"metadata": {"subscription_tier": "gold"}}
    assert await refused(world, "POST", "/v1/admin/tenants", bad) == "metadata.subscription_tier"
    await world.ok("POST", "/v1/admin/tenants", body)
    change = {"metadata": {"subscription_tier": "gold"}}
    assert await refused(world, "PUT", "/v1/admin/tenants/acme", change) == "metadata.subscription_tier"


@pytest.mark.parametrize(
    ("schema", "param"),
    [
        ({}, "type"),
        ({"type": "object", "additionalProperties": False}, "additionalProperties"),
        ({"type": "object", "properties": {"a": {"type": "number"}}}, "properties.a.type"),
        ({"type": "object", "properties": {"a": {"$ref": "http://127.0.0.1:1/x"}}}, "properties.a.$ref"),
        ({"type": "object", "allOf": [{"patternProperties": {"(a+)+$": {}}}]}, "allOf[0].patternProperties"),
        ({"type": "object", "properties": {"a": {"pattern": "(?=a)"}}}, "properties.a.pattern"),
        ({"type": "object", "properties": {"a": {"enum": ["x"], "default": "y"}}}, "properties.a.default.a"),
        ({"type": "object", "required": "a"}, "required"),
        ({"type": "object", "description": "x" * 40_000}, ""),
        ({"type": "object", "description": "\u0000"}, ""),
    ],
    ids=[
        "untyped",
        "closed",
        "number",
        "remote",
        "patterns of names",
        "look-ahead",
        "default",
        "no schema",
        "long",
        "NUL",
    ],
)
async def test_a_schema_that_cannot_be_is_refused(world: World, schema: object, param: str) -> None:
    """By the name of what is wrong with it; nothing is fetched, and nothing that could take long is taken."""
    found = await refused(world, "PUT", "/v1/admin/organisation", {"api_key_metadata_schema": schema})
    assert found == ".".join(["api_key_metadata_schema", *([param] if param else [])])


async def test_a_deep_schema_does_not_exhaust_the_stack(world: World) -> None:
    """It is refused for what it is."""
    schema: dict[str, Any] = {}
    for _ in range(200):
        schema = {"not": schema}
    found = await refused(
        world, "PUT", "/v1/admin/organisation", {"api_key_metadata_schema": {"type": "object", **schema}}
    )
    assert found == "api_key_metadata_schema"


async def test_no_pattern_can_hang_the_server(world: World) -> None:
    """One that takes a backtracking engine longer than the universe lasts is answered like any other."""
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(a|aa|a?)+$"}}}
    await world.ok("PUT", "/v1/admin/organisation", {"api_key_metadata_schema": schema})
    hostile = of_key({"a": "a" * 127 + "b"})
    assert await refused(world, "POST", "/v1/api-keys/workspace/service", hostile) == "defaults.metadata.a"
