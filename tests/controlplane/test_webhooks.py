"""Webhooks and alert settings through the control plane's door."""

from typing import Any

import pytest

from headgate.tenancy.scopes import WORKSPACE_SCOPES
from tests.support.administration import World, customer_key

HOOK = {"url": "https://hooks.example.com/in?token=abc", "description": "ours", "types": ["key.exhausted"]}
ABSENT = "/v1/admin/webhooks/whk_00000000000000000000"


async def workspace_admin(world: World, name: str) -> tuple[str, str]:
    """A workspace, and the text of a key that administers it."""
    workspace = (await world.ok("POST", "/v1/admin/workspaces", {"name": name}))["id"]
    _, key = await customer_key(world, workspace, scopes=sorted(WORKSPACE_SCOPES))
    return workspace, key


async def test_a_webhook_is_made_shown_changed_and_removed(world: World) -> None:
    """Its secret is shown at creation and never again; every change is in the audit log, without the secret."""
    made = await world.ok("POST", "/v1/admin/webhooks", HOOK)
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert (made["url"], made["types"], made["status"]) == (HOOK["url"], ["key.exhausted"], "active")
    path = f"/v1/admin/webhooks/{made['id']}"
    assert await world.ok("GET", path) == made
    assert (await world.ok("GET", "/v1/admin/webhooks"))["data"] == [made]
    changed = await world.ok("PUT", path, {"url": "https://other.example.com", "types": [], "status": "disabled"})
    assert (changed["url"], changed["types"], changed["status"]) == ("https://other.example.com", [], "disabled")
    assert "secret" not in changed
    assert await world.ok("DELETE", path) == {}
    assert (await world.call("GET", path)).status == 404
    entries = [entry for entry in await world.audit() if entry.resource == f"webhook:{made['id']}"]
    assert [entry.action for entry in entries] == ["create", "update", "delete"]
    assert all(secret not in entry.body and "token" not in entry.body for entry in entries)


async def test_a_rotation_shows_the_new_secret_once(world: World) -> None:
    """And says until when the old one still signs."""
    made = await world.ok("POST", "/v1/admin/webhooks", HOOK)
    path = f"/v1/admin/webhooks/{made['id']}"
    rotated = await world.ok("PUT", path, {"rotate_secret": True})
    assert rotated["secret"] != made["secret"]
    assert rotated["old_secret_until"].startswith("2027-01-16T08:00")
    assert "secret" not in await world.ok("GET", path)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"url": "ftp://hooks.example.com"}, "url"),
        ({"url": "https://169.254.169.254/"}, "url"),
        ({"url": "https://hooks.example.com/" + "a" * 2_100}, "url"),
        ({"url": ""}, "url"),
        ({"types": ["budget.exploded"]}, "types[0]"),
        ({"types": ["webhook.test"]}, "types[0]"),
        ({"types": "key.exhausted"}, "types"),
        ({"tenant_id": ""}, "tenant_id"),
        ({"workspace_id": ""}, "workspace_id"),
        ({"tenant_id": "nobody"}, None),
        ({"workspace_id": "nowhere"}, None),
    ],
)
async def test_what_a_webhook_cannot_be_is_refused_by_name(
    world: World, change: dict[str, Any], param: str | None
) -> None:
    """Nothing is made then."""
    reply = await world.call("POST", "/v1/admin/webhooks", HOOK | change)
    assert reply.status == (404 if param is None else 400), reply.body
    if param is not None:
        assert reply.json["error"]["param"] == param
    assert (await world.ok("GET", "/v1/admin/webhooks"))["total"] == 0


async def test_a_tenants_webhook_belongs_to_its_workspace(world: World) -> None:
    """A tenant of another workspace is refused."""
    here, _ = await workspace_admin(world, "Here")
    there, _ = await workspace_admin(world, "There")
    tenant = await world.ok("POST", "/v1/admin/tenants", {"name": "Acme", "workspace_id": here})
    made = await world.ok("POST", "/v1/admin/webhooks", HOOK | {"tenant_id": tenant["id"]})
    assert (made["workspace_id"], made["tenant_id"]) == (here, tenant["id"])
    reply = await world.call("POST", "/v1/admin/webhooks", HOOK | {"tenant_id": tenant["id"], "workspace_id": there})
    assert (reply.status, reply.json["error"]["param"]) == (400, "tenant_id")


async def test_a_workspaces_key_sees_and_makes_its_own_only(world: World) -> None:
    """Those of the organization and of others are as absent as those that never were, for every verb."""
    here, key = await workspace_admin(world, "Here")
    there, _ = await workspace_admin(world, "There")
    of_organization = await world.ok("POST", "/v1/admin/webhooks", HOOK)
    foreign = await world.ok("POST", "/v1/admin/webhooks", HOOK | {"workspace_id": there})
    own = await world.ok("POST", "/v1/admin/webhooks", HOOK, key=key)
    assert own["workspace_id"] == here
    assert [each["id"] for each in (await world.ok("GET", "/v1/admin/webhooks", key=key))["data"]] == [own["id"]]
    for verb, tail in (
        ("GET", ""),
        ("PUT", ""),
        ("DELETE", ""),
        ("POST", "/test"),
        ("GET", "/deliveries"),
        ("POST", "/deliveries/dlv_1/replay"),
    ):
        absent = await world.call(verb, ABSENT + tail, {"status": "active"}, key=key)
        for hidden in (of_organization["id"], foreign["id"]):
            reply = await world.call(verb, f"/v1/admin/webhooks/{hidden}{tail}", {"status": "active"}, key=key)
            assert (reply.status, reply.json["error"]["message"].replace(hidden, "")) == (
                404,
                absent.json["error"]["message"].replace(ABSENT.rpartition("/")[2], ""),
            )
    refused = await world.call("POST", "/v1/admin/webhooks", HOOK | {"workspace_id": there}, key=key)
    assert refused.status == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/admin/webhooks"),
        ("GET", "/v1/admin/webhooks"),
        ("GET", ABSENT),
        ("PUT", ABSENT),
        ("DELETE", ABSENT),
        ("POST", f"{ABSENT}/test"),
        ("GET", f"{ABSENT}/deliveries"),
        ("POST", f"{ABSENT}/deliveries/dlv_1/replay"),
        ("GET", "/v1/admin/alerts"),
        ("PUT", "/v1/admin/alerts"),
    ],
)
async def test_every_route_needs_its_scope(world: World, method: str, path: str) -> None:
    """A key that only makes calls has none of them; no key at all is told to bring one."""
    workspace, _ = await workspace_admin(world, "Here")
    _, key = await customer_key(world, workspace)
    assert (await world.call(method, path, HOOK, key=key)).status == 403
    assert (await world.call(method, path, HOOK, key="")).status == 401


async def test_a_test_is_a_delivery_like_any_other(world: World) -> None:
    """It waits in the outbox, and shows up among the deliveries; a disabled webhook is not tried."""
    made = await world.ok("POST", "/v1/admin/webhooks", HOOK)
    path = f"/v1/admin/webhooks/{made['id']}"
    pending = await world.ok("POST", f"{path}/test")
    listed = await world.ok("GET", f"{path}/deliveries")
    assert listed["total"] == 1
    assert listed["data"][0]["id"] == pending["id"]
    assert listed["data"][0]["message"]["type"] == "webhook.test"
    assert listed["data"][0]["attempts"] == []
    await world.ok("PUT", path, {"status": "disabled"})
    for tail in ("/test", f"/deliveries/{pending['id']}/replay"):
        reply = await world.call("POST", path + tail)
        assert (reply.status, reply.json["error"]["param"]) == (400, "status")


async def test_alert_settings_are_inherited_by_workspaces(world: World) -> None:
    """80, 90 and 100 by default; the organization's, where a workspace has none of its own."""
    workspace, key = await workspace_admin(world, "Here")
    assert await world.ok("GET", "/v1/admin/alerts") == {
        "object": "alert-settings",
        "workspace_id": None,
        "percents": None,
        "percents_in_force": [80, 90, 100],
        "emails": [],
    }
    await world.ok("PUT", "/v1/admin/alerts", {"percents": [95, 50, 50], "emails": ["boss@example.com"]})
    own = await world.ok("GET", "/v1/admin/alerts", key=key)
    assert (own["workspace_id"], own["percents"], own["percents_in_force"]) == (workspace, None, [50, 95])
    assert own["emails"] == []
    await world.ok("PUT", "/v1/admin/alerts", {"percents": []}, key=key)
    assert (await world.ok("GET", f"/v1/admin/alerts?workspace_id={workspace}"))["percents_in_force"] == []
    assert (await world.ok("GET", "/v1/admin/alerts"))["percents"] == [50, 95]


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"percents": [0]}, "percents[0]"),
        ({"percents": [101]}, "percents[0]"),
        ({"emails": ["nobody"]}, "emails[0]"),
        ({"emails": ["a@b.test, c@d.test"]}, "emails[0]"),
        ({"emails": ["Ada <a@b.test>"]}, "emails[0]"),
        ({}, None),
    ],
)
async def test_what_a_setting_cannot_be_is_refused_by_name(
    world: World, change: dict[str, Any], param: str | None
) -> None:
    """An address is one plain address: a list of them, or one with a name, would go astray."""
    reply = await world.call("PUT", "/v1/admin/alerts", change)
    assert (reply.status, reply.json["error"]["param"]) == (400, param)


async def test_a_workspace_takes_its_webhooks_along(world: World) -> None:
    """When it is removed, so are they, with their deliveries."""
    workspace, _ = await workspace_admin(world, "Here")
    made = await world.ok("POST", "/v1/admin/webhooks", HOOK | {"workspace_id": workspace})
    await world.ok("POST", f"/v1/admin/webhooks/{made['id']}/test")
    for key in (await world.ok("GET", "/v1/api-keys"))["data"]:
        if key["workspace_id"] == workspace:
            await world.ok("DELETE", f"/v1/api-keys/{key['id']}")
    await world.ok("DELETE", f"/v1/admin/workspaces/{workspace}")
    assert (await world.ok("GET", "/v1/admin/webhooks"))["total"] == 0
