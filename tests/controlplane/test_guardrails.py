"""Guardrails over HTTP: written, versioned, attached, and handed to the data plane compiled."""

from typing import Any

import pytest

from tests.support.administration import World, customer_key

MODELS = {"id": "default.modelWhitelist", "parameters": {"models": ["gpt-4o"]}}
NO_SECRETS = {"id": "default.contains", "parameters": {"words": ["secret"], "operator": "none"}}


async def make(world: World, *checks: object, **more: object) -> str:
    """A guardrail that denies, of the default workspace; its slug."""
    body = {"name": "g", "checks": checks or [MODELS], "actions": {"deny": True}, "workspace_id": "default", **more}
    return str((await world.ok("POST", "/v1/guardrails", body))["slug"])


async def test_a_guardrail_s_life(world: World) -> None:
    """Made, shown, changed with every version kept, removed; each in the audit log."""
    body = {"name": "g", "checks": [MODELS], "actions": {"deny": True}, "workspace_id": "default"}
    made = await world.ok("POST", "/v1/guardrails", body)
    path = f"/v1/guardrails/{made['id']}"
    shown = await world.ok("GET", path)
    assert shown["checks"] == [{**MODELS, "name": MODELS["id"], "is_enabled": True}]
    assert shown["data"]["actions"] == {"deny": True, "async": False}
    on_fail = {"feedback": {"value": -5, "weight": 1, "metadata": ""}}
    changed = await world.ok("PUT", path, {"actions": {"deny": False, "on_fail": on_fail}})
    assert (changed["id"], changed["slug"]) == (made["id"], made["slug"])
    versions = (await world.ok("GET", f"{path}/versions"))["data"]
    assert [each["actions"]["deny"] for each in versions] == [False, True]
    assert versions[0]["actions"]["on_fail"] == on_fail
    assert (await world.ok("GET", f"/v1/guardrails/{made['slug']}"))["id"] == made["id"]
    assert (await world.ok("GET", "/v1/guardrails?page_size=100&current_page=0"))["total"] == 1
    await world.ok("DELETE", path)
    assert (await world.call("GET", path)).status == 404
    mine = [entry for entry in await world.audit() if entry.resource == f"guardrail:{made['id']}"]
    assert [entry.action for entry in mine] == ["create", "update", "delete"]


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"checks": []}, "checks"),
        ({"checks": [{}]}, "checks[0].id"),
        ({"checks": [{"id": "default.nothing"}]}, "checks[0].id"),
        ({"checks": [MODELS, {"id": "default.contains", "parameters": {}}]}, "checks[1].parameters.words"),
        ({"checks": [{"id": "default.regexMatch", "parameters": {"rule": "(?=x)"}}]}, "checks[0].parameters.rule"),
        ({"checks": [{"id": "default.modelRules", "parameters": {}}]}, "checks[0].parameters.rules"),
        ({"checks": [{**MODELS, "is_enabled": 1}]}, "checks[0].is_enabled"),
        ({"actions": {"deny": "yes"}}, "actions.deny"),
        ({"actions": {"deny": True, "async": True}}, "actions.async"),
        ({"actions": {"on_fail": {"feedback": {"value": 11}}}}, "actions.on_fail.feedback.value"),
        ({"actions": {"on_success": {"feedback": {"value": 1, "weight": "x"}}}}, "actions.on_success.feedback.weight"),
        ({"actions": {"on_success": "good"}}, "actions.on_success"),
        ({"name": " "}, "name"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_cannot_be_is_refused_by_name(world: World, change: dict[str, Any], param: str) -> None:
    """400, with the check and its parameter."""
    body = {"name": "g", "checks": [MODELS], **change}
    refused = await world.call("POST", "/v1/guardrails", body)
    assert (refused.status, refused.json["error"]["param"]) == (400, param)


async def test_they_are_asked_in_order(world: World) -> None:
    """The organization's, the workspace's, those of the key's config; each once."""
    of_all = await make(world, workspace_id=None)
    of_workspace, of_config = await make(world), await make(world, NO_SECRETS)
    await world.ok("PUT", "/v1/admin/organisation", {"defaults": {"input_guardrails": [of_all]}})
    defaults = {"input_guardrails": [of_workspace, of_all], "output_guardrails": [of_config]}
    shown = await world.ok("PUT", "/v1/admin/workspaces/default", {"defaults": defaults})
    assert len(shown["defaults"]["input_guardrails"]) == 2
    config = {"input_guardrails": [of_config], "output_guardrails": [of_config]}
    body = {"name": "c", "config": config, "workspace_id": "default"}
    slug = (await world.ok("POST", "/v1/configs", body))["slug"]
    _, text = await customer_key(world, "default", defaults={"config_id": slug})
    _, without = await customer_key(world, "default")
    guards = (await world.directory.authenticate(text)).guardrails
    assert guards is not None
    assert [guard.slug for guard in guards.input] == [of_all, of_workspace, of_config]
    assert [guard.slug for guard in guards.output] == [of_config]
    fewer = (await world.directory.authenticate(without)).guardrails
    assert fewer is not None
    assert [guard.slug for guard in fewer.input] == [of_all, of_workspace]


async def test_attaching_leaves_the_other_defaults_alone(world: World) -> None:
    """Of `defaults` only what is sent changes."""
    slug = await make(world)
    await world.ok("PUT", "/v1/admin/workspaces/default", {"defaults": {"metadata": {"tier": "free"}}})
    shown = await world.ok("PUT", "/v1/admin/workspaces/default", {"defaults": {"input_guardrails": [slug]}})
    assert shown["defaults"]["metadata"] == {"tier": "free"}
    detached = await world.ok("PUT", "/v1/admin/workspaces/default", {"defaults": {"input_guardrails": []}})
    assert detached["defaults"]["input_guardrails"] == []


async def test_what_is_attached_cannot_be_removed(world: World) -> None:
    """Not by a workspace, and not by a config; the refusal says where it is."""
    by_workspace, by_config = await make(world), await make(world)
    await world.ok("PUT", "/v1/admin/workspaces/default", {"defaults": {"input_guardrails": [by_workspace]}})
    body = {"name": "c", "config": {"input_guardrails": [by_config]}, "workspace_id": "default"}
    config = (await world.ok("POST", "/v1/configs", body))["slug"]
    for slug, where in ((by_workspace, "`default`"), (by_config, f"`{config}`")):
        refused = await world.call("DELETE", f"/v1/guardrails/{slug}")
        assert refused.status == 409
        assert where in refused.json["error"]["message"]


async def test_checks_of_models_are_for_requests(world: World) -> None:
    """Attached to answers they would check nothing, so they cannot be."""
    slug = await make(world)
    refused = await world.call("PUT", "/v1/admin/workspaces/default", {"defaults": {"output_guardrails": [slug]}})
    assert (refused.status, refused.json["error"]["param"]) == (400, "defaults.output_guardrails[0]")


async def test_the_organization_s_guardrails_are_its_own(world: World) -> None:
    """A workspace's key sees none of them, and an admin key needs the scopes for them."""
    of_all = await make(world, workspace_id=None)
    scopes = [f"guardrails.{verb}" for verb in ("create", "read", "update", "delete", "list")]
    _, key = await customer_key(world, "default", scopes=scopes)
    own = (await world.ok("POST", "/v1/guardrails", {"name": "own", "checks": [MODELS]}, key=key))["slug"]
    assert [each["slug"] for each in (await world.ok("GET", "/v1/guardrails", key=key))["data"]] == [own]
    for method in ("GET", "PUT", "DELETE"):
        body = {"name": "x"} if method == "PUT" else None
        assert (await world.call(method, f"/v1/guardrails/{of_all}", body, key=key)).status == 404
    few = {"name": "few", "scopes": [*scopes, "organisation_settings.update"]}
    admin = (await world.ok("POST", "/v1/api-keys/organisation/service", few))["key"]
    assert (await world.call("GET", f"/v1/guardrails/{of_all}", key=admin)).status == 403
    assert (await world.call("GET", f"/v1/guardrails/{own}", key=admin)).status == 200
    defaults: dict[str, Any] = {"defaults": {"input_guardrails": []}}
    assert (await world.call("PUT", "/v1/admin/organisation", defaults, key=admin)).status == 403


async def test_foreign_guardrails_cannot_be_attached(world: World) -> None:
    """Neither another workspace's, nor a workspace's to the whole organization."""
    await world.ok("POST", "/v1/admin/workspaces", {"name": "Other", "slug": "other"})
    foreign = await make(world, workspace_id="other")
    for path in ("/v1/admin/workspaces/default", "/v1/admin/organisation"):
        refused = await world.call("PUT", path, {"defaults": {"input_guardrails": [foreign]}})
        assert (refused.status, refused.json["error"]["param"]) == (400, "defaults.input_guardrails[0]")
