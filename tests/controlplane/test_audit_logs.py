"""The audit log through the API: who, what, when, from where, and no secret."""

import json
from dataclasses import replace
from typing import Any

import pytest

from headgate.dataplane.asgi import Receive, Scope, Send
from headgate.dataplane.proxies import Proxies, networks
from headgate.tenancy.audit import verify_chain
from tests.support.administration import World, customer_key
from tests.support.people import invited, joined

LOGS = "/v1/audit-logs"
NOON = "2027-01-15T08:00:00Z"


async def _records(world: World, query: str = "") -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = (await world.ok("GET", f"{LOGS}?{query}"))["records"]
    return records


async def test_a_record_tells_the_whole_story(world: World) -> None:
    """Method, path, request id, what was sent, by whom, from where, and what became of it."""
    body = {"name": "Gold", "description": "tier", "unknown": "x"}
    headers = {"user-agent": "tests/1", "x-portkey-trace-id": "trace-1"}
    reply = await world.call("POST", "/v1/admin/workspaces?a=b", body, headers=headers)
    (record,) = await _records(world, "resource_type=workspace&action=create&method=POST")
    assert record == {
        "id": record["id"],
        "timestamp": "2027-01-15T08:00:00.001Z",
        "method": "POST",
        "uri": "/v1/admin/workspaces",
        "request_id": reply.headers["x-headgate-request-id"],
        "request_body": {"name": "Gold", "description": "tier"},
        "query_params": {"a": "b"},
        "request_headers": {"user-agent": "tests/1", "x-portkey-trace-id": "trace-1"},
        "client_ip": "127.0.0.1",
        "country": None,
        "user_id": world.admin_key.split("_")[1],
        "user_type": "api_key",
        "api_key_id": world.admin_key.split("_")[1],
        "organisation_id": world.root.organization_id,
        "workspace_id": reply.json["id"],
        "response_status_code": 200,
        "resource_type": "workspace",
        "resource_id": reply.json["id"],
        "action": "create",
        "changes": record["changes"],
        "hash": record["hash"],
        "object": "audit-log",
    }
    assert record["changes"]["name"] == "Gold"


async def test_a_known_proxy_tells_address_and_country(world: World) -> None:
    """Both are in the record, found by, and under its hash; one that is not known tells nothing."""
    told = {"x-forwarded-for": "6.6.6.6, 203.0.113.9", "cf-ipcountry": "de"}
    proxies = Proxies(networks("127.0.0.1"), "CF-IPCountry")
    plain = world.app

    async def behind(scope: Scope, receive: Receive, send: Send) -> None:
        await plain(proxies.seen(scope), receive, send)

    await world.call("POST", "/v1/admin/workspaces", {"name": "Direct"}, headers=told)
    world.app = behind
    await world.call("POST", "/v1/admin/workspaces", {"name": "Behind"}, headers=told)
    found = await _records(world, "resource_type=workspace")
    seen = [(each["changes"]["name"], each["client_ip"], each["country"]) for each in found[:2]]
    assert seen == [("Behind", "203.0.113.9", "DE"), ("Direct", "127.0.0.1", None)]
    for query in ("country=DE", "country=de", "client_ip=203.0.113.9"):
        assert [each["id"] for each in await _records(world, query)] == [found[0]["id"]]
    entries = await world.audit()
    assert verify_chain(entries).intact
    for other in (None, "FR"):
        assert entries[-1].origin is not None
        forged = replace(entries[-1], origin=replace(entries[-1].origin, country=other))
        assert not verify_chain([*entries[:-1], forged]).intact


async def test_a_users_key_is_the_user(world: World) -> None:
    """His id, and which of his keys it was."""
    scopes = ["workspace_service_api_keys.create", "logs.view"]
    user = await joined(world, "ann@example.com", workspaces={"default": "manager"}, scopes=scopes)
    (key,) = user.keys.values()
    body = {"name": "k", "scopes": ["logs.view"]}
    await world.ok("POST", "/v1/api-keys/workspace/service", body, key=key)
    latest = (await _records(world, f"user_id={user.id}&user_type=user"))[0]
    assert (latest["user_id"], latest["api_key_id"], latest["resource_type"]) == (user.id, key.split("_")[1], "api_key")
    assert latest["workspace_id"] == next(iter(user.keys))
    assert [each["action"] for each in await _records(world, "resource_type=invite")] == ["accept", "create"]


async def test_records_are_found_by_every_field(world: World) -> None:
    """The latest first; a filter that fits nothing gives nothing; pages are whole."""
    one = await world.ok("POST", "/v1/admin/workspaces", {"name": "One"})
    key_id, _ = await customer_key(world, "one")
    reply = await world.call("PUT", f"/v1/api-keys/{key_id}", {"name": "renamed"})
    all_of_them = await world.ok("GET", LOGS)
    assert [each["action"] for each in all_of_them["records"][:3]] == ["update", "create", "create"]
    for query, count in (
        ("method=PUT", 1),
        (f"uri=/v1/api-keys/{key_id}", 1),
        (f"request_id={reply.headers['x-headgate-request-id']}", 1),
        (f"workspace_id={one['id']}", 3),
        ("workspace_id=one", 3),
        ("workspace_id=ws_none", 0),
        (f"user_id={world.admin_key.split('_')[1]}", 3),
        ("user_type=user", 0),
        ("client_ip=127.0.0.1&resource_type=api_key", 2),
        ("client_ip=10.0.0.1", 0),
        ("response_status_code=200", 3),
        ("response_status_code=500", 0),
        ("country=DE", 0),
        (f"organisation_id={world.root.organization_id}&action=update", 1),
        ("start_time=2027-01-15T08:00:00.002Z&end_time=2027-01-15T08:00:00.003Z", 2),
        ("end_time=2026-01-01T00:00:00Z", 0),
        ("start_time=2027-01-15T09:00:00.002+01:00&end_time=2027-01-15T09:00:00.003+01:00", 2),
    ):
        found = await world.ok("GET", f"{LOGS}?{query}")
        assert (found["total"], len(found["records"])) == (count, count), query
    pages = [await world.ok("GET", f"{LOGS}?page_size=2&current_page={page}") for page in range(3)]
    ids = [each["id"] for page in pages for each in page["records"]]
    assert ids == [each["id"] for each in all_of_them["records"]][:6]


@pytest.mark.parametrize(
    "query",
    ["page_size=101", "method=GET", "start_time=yesterday", "end_time=9999-12-31T23:59:59Z", "user_type=robot"],
)
async def test_a_bad_filter_names_itself(world: World, query: str) -> None:
    """400 with the parameter."""
    reply = await world.call("GET", f"{LOGS}?{query}")
    assert (reply.status, reply.json["error"]["param"]) == (400, query.partition("=")[0])


async def test_another_organization_s_log_is_absent(world: World) -> None:
    """Named, it is not found; a workspace's key finds none at all."""
    assert (await world.call("GET", f"{LOGS}?organisation_id=org_other")).status == 404
    _, key = await customer_key(world, "default")
    assert (await world.call("GET", LOGS, key=key)).status == 403


async def test_no_secret_is_ever_in_it(world: World) -> None:
    """Provider credentials and headers, API keys, webhook secrets, invite tokens, passwords in URLs; wherever in a body
    they are sent, under names that are known and names that are not."""
    canaries = {name: f"CANARY{index}x{'0' * 24}" for index, name in enumerate("abcdefgh")}
    integration = {
        "name": "OpenAI",
        "ai_provider_id": "openai",
        "key": canaries["a"],
        "api_key": canaries["b"],
        "configurations": {"custom_headers": {"X-Team": canaries["c"]}},
        "description": f"was sk-{canaries['d']}",
    }
    await world.ok("POST", "/v1/integrations", integration)
    await world.ok("PUT", "/v1/integrations/openai", {"key": canaries["e"]})
    hook = {"url": f"https://user:{canaries['f']}@hooks.example.com/x"}
    await world.call("POST", "/v1/admin/webhooks", hook)
    made = await world.ok("POST", "/v1/admin/webhooks", {"url": "https://hooks.example.com/x"})
    rotated = await world.ok("PUT", f"/v1/admin/webhooks/{made['id']}", {"rotate_secret": True})
    _, customer = await customer_key(world, "default", description=f"mailto smtp://me:{canaries['g']}@mail.example.com")
    _, token = await invited(world, "ann@example.com", workspaces=[{"id": "default", "role": "member"}])
    accepted = {"token": token, "first_name": "A", "password": canaries["h"]}
    await world.ok("POST", "/v1/admin/users/invites/accept", accepted, key="")
    secrets = [*canaries.values(), made["secret"], rotated["secret"], token]
    secrets += [customer.split("_")[2], world.admin_key.split("_")[2]]
    shown = json.dumps(await world.ok("GET", LOGS))
    entries = await world.audit()
    stored = "".join(map(str, entries))
    assert not [secret for secret in secrets if secret in shown or secret in stored]
    assert verify_chain(entries).intact
    assert any(each["request_body"] for each in json.loads(shown)["records"])
