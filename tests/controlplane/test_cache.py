"""`DELETE /v1/admin/cache`: who may forget whose answers. tests/dataplane/test_caching.py shows that they are."""

import json

import pytest

from headgate.base.errors import InvalidRequest, NotFound
from headgate.tenancy.answer_purge import AnswerPurge
from headgate.tenancy.cached_answers import CachedAnswerService, Forget
from headgate.tenancy.principal import Principal
from tests.support.administration import World

Asked = tuple[str, str | None, str | None]


async def furnished(world: World) -> dict[str, str]:
    """Ids by name."""
    made = {"default": str((await world.ok("GET", "/v1/admin/workspaces/default"))["id"])}
    made["else"] = str((await world.ok("POST", "/v1/admin/workspaces", {"name": "Else", "slug": "else"}))["id"])
    body = {"tenant_id": "acme", "workspace_id": "default"}
    return made | {"acme": str((await world.ok("POST", "/v1/admin/tenants", body))["id"])}


def noting(asked: list[Asked]) -> Forget:
    """Says that there were seven."""

    def forget(purge: AnswerPurge) -> int:
        asked.append((purge.organization_id, purge.workspace_id, purge.tenant_id))
        return 7

    return forget


async def test_what_is_named_is_what_is_forgotten(world: World) -> None:
    """A tenant with its workspace, a workspace, or all: by slug or id; each is in the audit log."""
    ids, asked = await furnished(world), list[Asked]()
    service = CachedAnswerService(world.administration, noting(asked))
    assert await service.purge(world.root, None, None) == 7
    await service.purge(world.root, "else", None)
    await service.purge(world.root, ids["default"], "acme")
    await service.purge(world.root, None, ids["acme"])
    organization = world.root.organization_id
    acme = (organization, ids["default"], ids["acme"])
    assert asked == [(organization, None, None), (organization, ids["else"], None), acme, acme]
    entries = [entry for entry in await world.audit() if entry.action == "purge"]
    wanted = [f"cache:{each}" for each in (organization, ids["else"], ids["acme"], ids["acme"])]
    assert [entry.resource for entry in entries] == wanted
    assert [json.loads(entry.body)["workspace_id"] for entry in entries] == [None, *(each for _, each, _ in asked[1:])]


async def test_a_workspace_s_key_forgets_its_own(world: World) -> None:
    """Without a name its whole workspace; the others' are as if they were not there."""
    ids, asked = await furnished(world), list[Asked]()
    service = CachedAnswerService(world.administration, noting(asked))
    organization = world.root.organization_id
    principal = Principal(organization, "api_key:k", frozenset({"configs.update"}), ids["else"])
    await service.purge(principal, None, None)
    assert asked == [(organization, ids["else"], None)]
    for workspace, tenant in (("default", None), (None, "acme")):
        with pytest.raises(NotFound):
            await service.purge(principal, workspace, tenant)
    with pytest.raises(InvalidRequest, match="tenant_id"):
        await service.purge(world.root, "else", "acme")
    assert len(asked) == 1


async def test_it_needs_a_scope(world: World) -> None:
    """Of the organization's settings or of configs; making calls is not enough."""
    await furnished(world)
    for scopes, status in ((["configs.update"], 200), (["completions.write", "configs.read"], 403)):
        body = {"name": "k", "workspace_id": "default", "scopes": scopes}
        key = (await world.ok("POST", "/v1/api-keys/workspace/service", body))["key"]
        reply = await world.call("DELETE", "/v1/admin/cache", key=key)
        assert reply.status == status, reply.body


@pytest.mark.parametrize("name", ["workspace_id", "tenant_id"])
async def test_an_empty_name_is_not_all(world: World, name: str) -> None:
    """Whoever did not know what to name is told so, and nothing is forgotten."""
    reply = await world.call("DELETE", f"/v1/admin/cache?{name}=")
    assert (reply.status, reply.json["error"]["param"]) == (400, name)
