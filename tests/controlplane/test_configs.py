"""Configs over HTTP: written, versioned, referred to, and handed to the data plane compiled."""

import re

import pytest

from tests.support.administration import World, customer_key

FALLBACK = {"strategy": {"mode": "fallback"}, "targets": [{"provider": "@a"}, {"provider": "@b"}]}


async def make(world: World, config: object = FALLBACK, **more: object) -> str:
    """A config of the default workspace; its slug."""
    body = {"name": "two", "config": config, "workspace_id": "default", **more}
    return str((await world.ok("POST", "/v1/configs", body))["slug"])


async def test_a_config_s_life(world: World) -> None:
    """Made, shown as it was written, changed, with every version kept, removed; each in the audit log."""
    made = await world.ok("POST", "/v1/configs", {"name": "two", "config": FALLBACK, "workspace_id": "default"})
    assert re.fullmatch(r"pc-[0-9a-z]{6}", made["slug"])
    path = f"/v1/configs/{made['slug']}"
    shown = await world.ok("GET", path)
    assert shown["config"] == shown["data"]["config"] == FALLBACK
    assert (shown["name"], shown["status"], shown["is_default"]) == ("two", "active", 0)
    retried = {"retry": {"attempts": 3}}
    changed = await world.ok("PUT", path, {"slug": made["slug"], "config": retried, "status": "active"})
    assert changed["version_id"] != made["version_id"]
    assert (await world.ok("GET", f"/v1/configs/{made['id']}"))["config"] == retried
    versions = (await world.ok("GET", f"{path}/versions"))["data"]
    assert [(each["version"], each["config"]) for each in versions] == [(2, retried), (1, FALLBACK)]
    assert versions[0]["version_id"] == changed["version_id"]
    listed = await world.ok("GET", "/v1/configs?workspace_id=default")
    assert (listed["total"], [each["slug"] for each in listed["data"]]) == (1, [made["slug"]])
    await world.ok("DELETE", path)
    assert (await world.call("GET", path)).status == 404
    mine = [entry for entry in await world.audit() if entry.resource == f"config:{made['id']}"]
    assert [entry.action for entry in mine] == ["create", "update", "delete"]


async def test_the_answers_are_wrapped_and_not(world: World) -> None:
    """Portkey's published API and its SDK read different places: both find what they look for."""
    made = await world.ok("POST", "/v1/configs", {"name": "c", "config": {}})
    assert made["success"] is True
    assert {name: made[name] for name in ("id", "slug", "version_id")} == {
        name: made["data"][name] for name in ("id", "slug", "version_id")
    }


@pytest.mark.parametrize(
    ("config", "param"),
    [
        ({"custom_host": "http://127.0.0.1:1"}, "config.custom_host"),
        ({"api_key": "sk-x"}, "config.api_key"),
        ({"strategy": {"mode": "fallback"}}, "config.targets"),
        ({"input_guardrails": ["pg-nobody"]}, "config"),
        ({"override_params": {"x": "\u0000"}}, "config"),
        ({"override_params": {"x": "y" * 70_000}}, "config"),
    ],
    ids=["host", "credential", "no targets", "no such guardrail", "NUL", "too long"],
)
async def test_what_cannot_be_is_refused_by_name(world: World, config: object, param: str) -> None:
    """A config names no host and no credential, and only guardrails that are there."""
    refused = await world.call("POST", "/v1/configs", {"name": "c", "config": config})
    assert (refused.status, refused.json["error"]["param"]) == (400, param)


async def test_keys_and_workspaces_have_defaults(world: World) -> None:
    """The key's wins over its workspace's; a call may name any config of its workspace or of the organization."""
    of_key, of_workspace = await make(world), await make(world)
    everywhere = (await world.ok("POST", "/v1/configs", {"name": "all", "config": {}}))["slug"]
    await world.ok("PUT", "/v1/admin/workspaces/default", {"defaults": {"config_id": of_workspace}})
    _, plain = await customer_key(world, "default")
    own = {"config_id": of_key, "allow_config_override": False}
    key_id, text = await customer_key(world, "default", defaults=own)
    policy = await world.directory.authenticate(text)
    assert policy.config is not None
    assert (policy.config.slug, policy.allow_config_override) == (of_key, False)
    assert set(policy.configs) == {of_key, of_workspace, everywhere}
    other = (await world.directory.authenticate(plain)).config
    assert other is not None
    assert other.slug == of_workspace
    assert (await world.ok("GET", f"/v1/api-keys/{key_id}"))["defaults"] == {"metadata": {}, **own}
    await world.ok("PUT", f"/v1/api-keys/{key_id}", {"defaults": {"metadata": {"a": "b"}}})
    assert (await world.ok("GET", f"/v1/api-keys/{key_id}"))["defaults"] == {"metadata": {"a": "b"}, **own}


async def test_a_change_is_in_force_at_once(world: World) -> None:
    """Policies in memory have the new version before its author has his answer."""
    slug = await make(world)
    _, text = await customer_key(world, "default", defaults={"config_id": slug})
    before = (await world.directory.authenticate(text)).config
    await world.ok("PUT", f"/v1/configs/{slug}", {"config": {"provider": "@c"}})
    after = (await world.directory.authenticate(text)).config
    assert before is not None
    assert after is not None
    assert (before.providers(), after.providers()) == ({"a", "b"}, {"c"})


async def test_is_default_is_the_workspace_s_own_default(world: World) -> None:
    """One place says it, whichever way it was written; another config takes it over."""
    first, second = await make(world, is_default=True), await make(world)
    assert (await world.ok("GET", "/v1/admin/workspaces/default"))["defaults"]["config_id"] == first
    await world.ok("PUT", f"/v1/configs/{second}", {"is_default": True})
    listed = {each["slug"]: each["is_default"] for each in (await world.ok("GET", "/v1/configs"))["data"]}
    assert listed == {first: 0, second: 1}
    await world.ok("PUT", f"/v1/configs/{second}", {"is_default": False})
    assert (await world.ok("GET", "/v1/admin/workspaces/default"))["defaults"]["config_id"] is None
    refused = await world.call("POST", "/v1/configs", {"name": "x", "config": {}, "is_default": True})
    assert (refused.status, refused.json["error"]["param"]) == (400, "is_default")


async def test_what_is_in_use_can_be_neither_removed_nor_archived(world: World) -> None:
    """Its calls would go on without it."""
    slug = await make(world)
    key_id, _ = await customer_key(world, "default", defaults={"config_id": slug})
    for refused in (
        await world.call("DELETE", f"/v1/configs/{slug}"),
        await world.call("PUT", f"/v1/configs/{slug}", {"status": "archived"}),
    ):
        assert refused.status == 409
        assert "1 API key" in refused.json["error"]["message"]
    await world.ok("DELETE", f"/v1/api-keys/{key_id}")
    await world.ok("PUT", f"/v1/configs/{slug}", {"status": "archived"})
    body = {"name": "k", "workspace_id": "default", "scopes": ["completions.write"], "defaults": {"config_id": slug}}
    archived = await world.call("POST", "/v1/api-keys/workspace/service", body)
    assert (archived.status, archived.json["error"]["param"]) == (400, "defaults.config_id")
    await world.ok("DELETE", f"/v1/configs/{slug}")


async def test_other_workspaces_configs_are_as_good_as_absent(world: World) -> None:
    """To see, to change, and to refer to."""
    await world.ok("POST", "/v1/admin/workspaces", {"name": "Other", "slug": "other"})
    foreign = await make(world, workspace_id="other")
    scopes = [f"configs.{verb}" for verb in ("create", "read", "update", "delete", "list")]
    _, key = await customer_key(world, "default", scopes=scopes)
    own = (await world.ok("POST", "/v1/configs", {"name": "own", "config": {}}, key=key))["slug"]
    assert [each["slug"] for each in (await world.ok("GET", "/v1/configs", key=key))["data"]] == [own]
    for method in ("GET", "PUT", "DELETE"):
        body = {"name": "x"} if method == "PUT" else None
        there = await world.call(method, f"/v1/configs/{foreign}", body, key=key)
        absent = await world.call(method, "/v1/configs/pc-absent", body, key=key)
        assert (there.status, absent.status) == (404, 404)
        assert there.json["error"]["message"].replace(foreign, "") == absent.json["error"]["message"].replace(
            "pc-absent", ""
        )
    refused = await world.call("PUT", "/v1/admin/workspaces/default", {"defaults": {"config_id": foreign}})
    assert (refused.status, refused.json["error"]["param"]) == (400, "defaults.config_id")
    _, plain = await customer_key(world, "default")
    assert foreign not in (await world.directory.authenticate(plain)).configs
    assert (await world.call("GET", "/v1/configs", key=plain)).status == 403
    await world.ok("DELETE", "/v1/admin/workspaces/other")
    assert (await world.call("GET", f"/v1/configs/{foreign}")).status == 404
