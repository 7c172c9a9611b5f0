"""What a caller may not see answers as if it were not there; what it may not do names the scope."""

from typing import Any

import pytest

from headgate.tenancy import keys
from headgate.tenancy.administration import Change
from headgate.tenancy.api_key import KeyLevel, KeyOwner
from headgate.tenancy.api_keys import create_key
from headgate.tenancy.organization import Organization
from headgate.tenancy.principal import Principal
from headgate.tenancy.scopes import ORGANIZATION_SCOPES, WORKSPACE_SCOPES
from headgate.tenancy.workspaces import create_workspace
from tests.support.administration import PEPPER, World, customer_key
from tests.support.people import joined

MANAGER = sorted(scope for scope in WORKSPACE_SCOPES if scope != "completions.write")


async def _manager(world: World, workspace: str) -> str:
    """A key of one workspace with every administrative scope that a workspace's key can have."""
    made = await world.ok("POST", "/v1/admin/workspaces", {"name": workspace})
    body = {"name": "manager", "workspace_id": made["slug"], "scopes": MANAGER}
    key: str = (await world.ok("POST", "/v1/api-keys/workspace/service", body))["key"]
    return key


async def _second_organization(world: World) -> dict[str, str]:
    """Another organization in the same database: its admin key, and the ids of what it has."""
    other = Principal.operator("org_other")
    minted, customer = keys.mint(PEPPER), keys.mint(PEPPER)

    def work(change: Change) -> str:
        organization = Organization(id="org_other", name="Other", created_at=change.now, updated_at=change.now)
        change.stores.organizations.add(organization)
        workspace = create_workspace(change, {"name": "Hidden"})
        admin = {"name": "admin", "scopes": sorted(ORGANIZATION_SCOPES)}
        create_key(change, minted, KeyLevel.ORGANIZATION, KeyOwner.SERVICE, admin)
        fields = {"name": "theirs", "workspace_id": workspace.id, "scopes": ["completions.write"]}
        create_key(change, customer, KeyLevel.WORKSPACE, KeyOwner.SERVICE, fields)
        return workspace.id

    workspace_id = await world.administration.change(other, work)
    body = {"name": "Theirs", "slug": "theirs", "ai_provider_id": "openai", "key": "sk-theirs-000000000000"}
    integration = await world.ok("POST", "/v1/integrations", body, key=minted.text)
    tenant = {"name": "Their tenant", "tenant_id": "their-tenant", "workspace_id": workspace_id}
    await world.ok("POST", "/v1/admin/tenants", tenant, key=minted.text)
    ids = {"admin": minted.text, "key": customer.id, "workspace": workspace_id}
    return ids | {"integration": integration["id"], "tenant": "their-tenant"}


async def test_another_organization_is_absent(world: World) -> None:
    """By id or slug, to read or to change: the same 404, word for word, as for what never was; and no list shows it."""
    theirs = await _second_organization(world)
    for path, noun in (
        ("/v1/admin/workspaces/{}", "workspace"),
        ("/v1/admin/tenants/{}", "tenant"),
        ("/v1/api-keys/{}", "key"),
        ("/v1/integrations/{}", "integration"),
        ("/v1/integrations/{}/workspaces", "integration"),
        ("/v1/integrations/{}/models", "integration"),
    ):
        foreign = await world.call("GET", path.format(theirs[noun]))
        absent = await world.call("GET", path.format("zzz-never-was"))
        assert foreign.status == absent.status == 404, path
        assert foreign.body.replace(theirs[noun].encode(), b"") == absent.body.replace(b"zzz-never-was", b"")
    for method, path, body in (
        ("DELETE", f"/v1/admin/workspaces/{theirs['workspace']}", None),
        ("PUT", f"/v1/api-keys/{theirs['key']}", {"name": "mine"}),
        ("DELETE", f"/v1/api-keys/{theirs['key']}", None),
        ("PUT", f"/v1/integrations/{theirs['integration']}", {"name": "mine"}),
        ("DELETE", f"/v1/integrations/{theirs['integration']}", None),
        ("POST", "/v1/api-keys/workspace/service", {"name": "k", "scopes": [], "workspace_id": theirs["workspace"]}),
        ("GET", f"/v1/api-keys?workspace_id={theirs['workspace']}", None),
    ):
        assert (await world.call(method, path, body)).status == 404, (method, path)
    for path in ("/v1/admin/workspaces", "/v1/admin/tenants", "/v1/api-keys", "/v1/integrations"):
        reply = await world.call("GET", path)
        assert not any(value.encode() in reply.body for value in theirs.values())


async def test_names_of_another_organization_are_free(world: World) -> None:
    """A conflict would tell that they exist."""
    await _second_organization(world)
    await world.ok("POST", "/v1/admin/workspaces", {"name": "Hidden"})
    tenant = {"name": "Their tenant", "tenant_id": "their-tenant", "workspace_id": "hidden"}
    await world.ok("POST", "/v1/admin/tenants", tenant)
    body = {"name": "Theirs", "slug": "theirs", "ai_provider_id": "openai", "key": "sk-mine-0000000000000"}
    await world.ok("POST", "/v1/integrations", body)


async def test_a_workspace_key_sees_its_own_workspace_only(world: World) -> None:
    """Other workspaces, their keys and tenants are absent; lists hold its own."""
    manager = await _manager(world, "mine")
    await world.ok("POST", "/v1/admin/workspaces", {"name": "other"})
    other_id, _ = await customer_key(world, "other")
    await world.ok("POST", "/v1/admin/tenants", {"name": "t", "workspace_id": "other"})

    for path in ("/v1/admin/workspaces/other", f"/v1/api-keys/{other_id}", "/v1/admin/tenants/t"):
        assert (await world.call("GET", path, key=manager)).status == 404
    for path in ("/v1/api-keys?workspace_id=other", "/v1/admin/tenants?workspace_id=other"):
        assert (await world.call("GET", path, key=manager)).status == 404
    assert [each["slug"] for each in (await world.ok("GET", "/v1/admin/workspaces", key=manager))["data"]] == ["mine"]
    assert [each["name"] for each in (await world.ok("GET", "/v1/api-keys", key=manager))["data"]] == ["manager"]
    assert (await world.ok("GET", "/v1/admin/tenants", key=manager))["total"] == 0


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/admin/workspaces", {"name": "x"}),
        ("PUT", "/v1/admin/workspaces/mine", {"usage_limits": []}),
        ("DELETE", "/v1/admin/workspaces/mine", None),
        ("PUT", "/v1/integrations/any/workspaces", {}),
        ("POST", "/v1/api-keys/organisation/service", {"name": "x", "scopes": []}),
    ],
)
async def test_a_workspace_key_does_nothing_of_the_organization(
    world: World, method: str, path: str, body: Any
) -> None:
    """Whatever its scopes are called: 403."""
    manager = await _manager(world, "mine")
    assert (await world.call(method, path, body, key=manager)).status == 403


async def test_a_key_makes_none_with_more_rights(world: World) -> None:
    """Neither when it is made nor later; a scope nobody knows and one of another kind of key are refused as well."""
    manager = await _manager(world, "mine")
    body = {"name": "k", "scopes": ["completions.write"]}
    reply = await world.call("POST", "/v1/api-keys/workspace/service", body, key=manager)
    assert (reply.status, reply.json["error"]["param"]) == (403, "scopes")
    made = await world.ok("POST", "/v1/api-keys/workspace/service", {"name": "k", "scopes": ["logs.view"]}, key=manager)
    path = f"/v1/api-keys/{made['id']}"
    assert (await world.call("PUT", path, {"scopes": ["completions.write"]}, key=manager)).status == 403
    for wrong in ("workspaces.create", "audit_logs.list", "no.such"):
        body = {"name": "k", "scopes": [wrong], "workspace_id": "mine"}
        assert (await world.call("POST", "/v1/api-keys/workspace/service", body)).status == 400
    completions = {"name": "k", "scopes": ["completions.write"]}
    assert (await world.call("POST", "/v1/api-keys/organisation/service", completions)).status == 400


async def test_a_tenants_key_cannot_administer(world: World) -> None:
    """Other scopes would show it its neighbours in the workspace."""
    await world.ok("POST", "/v1/admin/tenants", {"tenant_id": "acme", "name": "Acme", "workspace_id": "default"})
    body: dict[str, Any] = {"name": "k", "tenant_id": "acme", "scopes": ["completions.write", "configs.read"]}
    reply = await world.call("POST", "/v1/api-keys/workspace/service", body)
    assert (reply.status, reply.json["error"]["param"]) == (400, "scopes")
    body["scopes"] = ["completions.write", "models.list"]
    made = await world.ok("POST", "/v1/api-keys/workspace/service", body)
    assert (await world.ok("GET", "/v1/api-keys?tenant_id=acme"))["data"][0]["id"] == made["id"]
    policy = await world.directory.authenticate(made["key"])
    assert (policy.tenant_id, policy.workspace_slug) == (
        (await world.ok("GET", "/v1/admin/tenants/acme"))["id"],
        "default",
    )


async def test_a_list_shows_only_the_kinds_its_scope_names(world: World) -> None:
    """Service keys, user keys and the organization's keys each have a scope of their own."""
    user = await joined(world, "ann@example.com", workspaces={"default": "member"})
    await world.ok("POST", "/v1/api-keys/workspace/user", {
        "name": "user", "user_id": user.id, "workspace_id": "default", "scopes": ["logs.view"],
    })  # fmt: skip
    body = {"name": "lister", "workspace_id": "default", "scopes": ["workspace_service_api_keys.list"]}
    lister = (await world.ok("POST", "/v1/api-keys/workspace/service", body))["key"]
    listed = await world.ok("GET", "/v1/api-keys", key=lister)
    assert [(each["name"], each["type"]) for each in listed["data"]] == [("lister", "workspace-service")]
    everything = await world.ok("GET", "/v1/api-keys")
    assert {each["type"] for each in everything["data"]} == {
        "organisation-service",
        "workspace-service",
        "workspace-user",
    }
