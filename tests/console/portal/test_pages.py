"""What a customer sees and does in his slice, and what of others' text becomes of it: text."""

import re
from typing import Any

import pytest

from headgate.console.portal.app import PAGES
from headgate.console.secured import HEADERS
from tests.console.conftest import Browser, text_of
from tests.console.portal.conftest import HELLO, Guest, Place, customer

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}"
INLINE = re.compile(rb"<script(?! src=\"/console/static/)|<style|\sstyle=|\son\w+=|javascript:")
ELSEWHERE = re.compile(rb"(?:src|href|action)=\"(?!/portal|/console/static/|/console/password\"|#)")
KEY = re.compile(r"hg_[0-9a-z]{16}_[0-9a-z]{32}_[0-9a-z]{7}")


def _paths(key_id: str, request_id: str) -> list[str]:
    values = {"key": key_id, "request": request_id}
    return ["/portal" + path.format(**values) for method, path, _, _ in PAGES if method == "GET"]


async def test_every_answer_carries_the_headers(place: Place) -> None:
    """Pages, redirects and errors: no inline script or style, no frame, nothing from elsewhere, nothing kept."""
    request_id = await place.call(place.acme.key)
    guest, stranger = await place.visiting(), place.guest()
    replies = [
        *[await guest.get(path) for path in _paths(place.acme.key_id, request_id)],
        *[await stranger.send("GET", path) for path in ("/portal", "/portal/", "/portal/sign-in", "/portal/none")],
        await stranger.send("GET", "/portal/enter?token=made-up"),
        await stranger.send("POST", "/portal/sign-in", {"key": "wrong"}),
        await stranger.send("DELETE", "/portal/sign-in"),
        await guest.get("/portal/requests?range=never"),
    ]
    assert {reply.status for reply in replies} == {200, 303, 308, 400, 401, 404, 405}
    for reply in replies:
        assert {name.decode(): value.decode() for name, value in HEADERS}.items() <= reply.headers.items()
        assert reply.headers["cache-control"] == "no-store"
        assert INLINE.search(reply.body) is None
        assert ELSEWHERE.search(reply.body) is None


async def test_hostile_texts_are_texts_on_every_page(place: Place) -> None:
    """Names of tenants and keys, who came, what was asked: shown as they are written."""
    evil = await customer(place.headgate, "evil", usage_limits={"credit_limit": 1}, metadata={"x": HOSTILE})
    await place.admin("PUT", "/admin/tenants/evil", {"name": HOSTILE})
    await place.admin("PUT", f"/api-keys/{evil.key_id}", {"name": HOSTILE})
    request_id = await place.call(evil.key, user=HOSTILE)
    guest = await place.visiting("evil", name=HOSTILE)
    unnamed = []
    for path in [*_paths(evil.key_id, request_id), "/portal/requests?ai_model=%22%3E%3Cscript%3Ealert(1)%3C/script%3E"]:
        reply = await guest.get(path)
        assert reply.status == 200, (path, text_of(reply))
        assert b"<script>alert" not in reply.body
        assert b"<img" not in reply.body
        if HOSTILE not in text_of(reply):
            unnamed.append(path)
    assert unnamed == []


async def test_the_overview_has_usage_and_a_forecast(place: Place) -> None:
    """By time and model; and what to do where nothing was called yet."""
    seen = text_of(await (await place.visiting()).get("/portal"))
    for told in (
        "$0.00060 of $20.00 monthly",
        "It resets at",
        "Requests 1 ",
        "Tokens 9 ",
        "sim-fast 1 9 $0.00060",
    ):
        assert told in seen
    page = (await (await place.visiting()).get("/portal?range=24h")).body.decode()
    assert len(re.findall(r'<a href="/portal/requests\?range=24h&amp;tz=UTC">[^<]+</a></dd>', page)) == 3
    assert len(re.findall(r'ai_model=sim-fast">[^<]+</a></td>', page)) == 3
    assert re.search(r"it will last\.|Too early to say", seen)
    assert "Tokyo" in (await (await place.visiting()).get("/portal?tz=Asia/Tokyo&range=24h")).body.decode()
    await place.admin("POST", "/admin/tenants", {"tenant_id": "new", "workspace_id": "default"})
    empty = text_of(await (await place.visiting("new")).get("/portal"))
    assert "No budget of your own" in empty
    assert "Try one in the playground" in empty


async def test_limits_and_models_are_those_a_program_is_told(place: Place) -> None:
    """Those of the tenant with what is left and when it counts anew; the same names as `GET /v1/models`."""
    guest = await place.visiting()
    seen = text_of(await guest.get("/portal/limits"))
    assert "this account cost monthly $20.00 $0.00060 $0.00 $20.00" in seen
    assert "this account requests a minute 60 1 0 59" in seen
    for tenant in (place.acme, place.other):
        async with place.headgate.call("GET", "/v1/models", key=tenant.key) as answer:
            names = [each["id"] for each in (await answer.json())["data"]]
        models = await (await place.visiting(tenant.slug)).get("/portal/models")
        listed = re.findall(r"<code>(@[^<]+)</code>", models.body.decode())
        assert listed == names
    assert names == ["@openai/sim-slow"]


async def test_a_shared_limit_tells_nothing_of_others(place: Place) -> None:
    """What a workspace uses is what its other tenants use."""
    await place.admin("PUT", "/admin/workspaces/default", {"usage_limits": {"credit_limit": 777}})
    guest = await place.visiting()
    for path in ("", "/limits"):
        assert "777" not in text_of(await guest.get(f"/portal{path}"))


async def test_keys_are_made_rotated_and_revoked(place: Place) -> None:
    """Of this tenant, seen once, with no right that a tenant's key cannot have, and under the tenant's limits. Each
    step is in the audit log with who did it."""
    guest = await place.visiting(name="ada@example.com")
    wrong = await guest.post("/portal/keys/new", {"name": "seat", "scopes": ["completions.write", "tenants.list"]})
    assert wrong.status == 400
    assert b'value="seat"' in wrong.body
    made = await guest.post("/portal/keys/new", {"name": "seat", "scopes": ["completions.write"]})
    [secret] = set(KEY.findall(made.body.decode()))
    assert secret not in (await guest.get("/portal/keys")).body.decode()
    policy = await place.headgate.gateway.services.directory.authenticate(secret)
    assert (policy.tenant_id, policy.scopes) == (place.acme.id, frozenset({"completions.write"}))
    await place.admin("PUT", "/admin/tenants/acme", {"usage_limits": {"credit_limit": 0}})
    async with place.headgate.call("POST", "/v1/chat/completions", HELLO, key=secret) as answer:
        assert answer.status == 412
    path = f"/portal/keys/{policy.key_id}"
    rotated = await guest.post(f"{path}/rotate", {"transition": "0"}, page=path)
    [fresh] = set(KEY.findall(rotated.body.decode()))
    assert fresh != secret
    await guest.post(f"{path}/revoke", page=path)
    assert "seat" not in text_of(await guest.get("/portal/keys"))
    logged = (await place.admin("GET", "/audit-logs?resource_type=api_key"))["records"]
    of_it = [each for each in logged if each["resource_id"] == policy.key_id]
    assert [each["action"] for each in of_it] == ["delete", "rotate", "create"]


@pytest.mark.parametrize(
    ("portal", "role", "open_to_him", "closed"),
    [
        ({"keys": "none"}, "manager", "Playground", "API keys"),
        ({"keys": "read"}, "manager", "API keys", "New key"),
        ({"keys": "manage"}, "member", "API keys", "New key"),
        ({"keys": "manage", "playground": False}, "manager", "New key", "Playground"),
        ({"keys": "manage", "request_log": False}, "manager", "New key", "Requests </a>"),
    ],
)
async def test_there_is_what_the_administrator_allows(
    place: Place, portal: dict[str, Any], role: str, open_to_him: str, closed: str
) -> None:
    """No button leads to what is not, and its address alone does not either."""
    await place.admin("PUT", "/admin/tenants/acme", {"portal": portal})
    guest = await place.visiting(role=role)
    page = await guest.get("/portal/keys")
    seen = text_of(page if page.status == 200 else await guest.get("/portal"))
    assert open_to_him in seen
    assert closed not in seen
    refused = {
        "API keys": ["/portal/keys", "/portal/keys/new"],
        "New key": ["/portal/keys/new", f"/portal/keys/{place.acme.key_id}"],
        "Playground": ["/portal/playground"],
        "Requests </a>": ["/portal/requests", "/portal/requests/req_1"],
    }[closed]
    for path in refused:
        assert (await guest.get(path)).status == 403, path
    if closed in ("API keys", "New key"):
        made = await guest.post(
            "/portal/keys/new", {"name": "k", "scopes": "completions.write"}, page="/portal/account"
        )
        assert made.status == 403
    if closed == "Playground":
        fields = {"model": "@openai/sim-fast", "message": "x", "max_tokens": "5"}
        assert (await guest.post("/portal/playground", fields, page="/portal/account")).status == 403


async def test_one_call_tells_nothing_of_what_stands_behind(place: Place) -> None:
    """Its cost to the last digit, what was asked and when; no provider, no attempt, no price list."""
    request_id = await place.call(place.acme.key)
    guest = await place.visiting()
    assert request_id in (await guest.get("/portal/requests")).body.decode()
    rows = await guest.get("/portal/requests?status_code=200", {"hx-request": "true"})
    assert rows.body.lstrip().startswith(b'<div class="scroll">')
    seen = text_of(await guest.get(f"/portal/requests/{request_id}"))
    assert "Cost: $0.0006 " in seen
    assert "output 6 $0.0006" in seen
    for hidden in ("openai /", "Attempts", "Per million", "Price:", "Usage:", "int_"):
        assert hidden not in seen


async def test_other_sites_send_no_forms(place: Place) -> None:
    """Neither with the cookie alone, nor from elsewhere with the secret."""
    guest = await place.visiting()
    [secret] = set(re.findall(r'name="csrf" value="([0-9a-f]+)"', (await guest.get("/portal/keys/new")).body.decode()))
    fields = {"name": "k", "scopes": "completions.write"}
    assert (await guest.send("POST", "/portal/keys/new", fields)).status == 403
    for origin in ("https://evil.test", "null", ""):
        sent = await guest.send("POST", "/portal/keys/new", {**fields, "csrf": secret}, {"origin": origin})
        assert sent.status == 403
    assert (await guest.send("POST", "/portal/keys/new", {**fields, "csrf": secret})).status == 200


async def test_nobody_is_sent_to_another_site(place: Place) -> None:
    """Whatever stands in the address of the sign-in."""
    for there in ("https://evil.test/", "//evil.test", "/portal/../v1", "/portal\\evil", "/portals", "/portal/\nx"):
        reply = await place.guest().send("POST", "/portal/sign-in", {"key": place.acme.key, "next": there})
        assert (reply.status, reply.headers["location"]) == (303, "/portal"), there
    asked = await place.guest().send("GET", "/portal/keys?page=2")
    assert asked.headers["location"] == "/portal/sign-in?next=/portal/keys%3Fpage%3D2"


async def test_whoever_signs_out_is_out(place: Place) -> None:
    """The cookie opens nothing afterwards."""
    guest = await place.visiting()
    before = dict(guest.cookies)
    left = await guest.post("/portal/sign-out", page="/portal/account")
    assert "With your API key" in text_of(left)
    guest.cookies = before
    assert (await guest.send("GET", "/portal")).status == 303


async def test_looking_ahead_does_not_use_a_link_up(place: Place) -> None:
    """A program that asks for the head, a browser that loads it ahead: the link still works afterwards."""
    path = (await place.link()).removeprefix("http://test")
    guest = place.guest()
    for method, headers in (("HEAD", {}), ("GET", {"sec-purpose": "prefetch;prerender"})):
        reply = await guest.send(method, path, headers=headers)
        assert (reply.status, "set-cookie" in reply.headers) == (204, False)
    assert (await guest.get(path)).status == 200


async def test_an_invited_customer_is_led_to_the_portal(place: Place) -> None:
    """The page of the invite chooses the password; the console has nothing for him."""
    body = {"email": "ada@example.com", "role": "member", "tenants": [{"id": "acme", "role": "member"}]}
    token = (await place.admin("POST", "/admin/users/invites", body))["invite_link"].partition("#token=")[2]
    guest, password = place.guest(), "a password of ours"
    accepted = await guest.send("POST", "/console/invite", {"token": token, "first_name": "Ada", "password": password})
    assert b'href="/portal/sign-in"' in accepted.body
    fields = {"email": "ada@example.com", "password": password}
    assert (await guest.send("POST", "/portal/sign-in", fields)).headers["location"] == "/portal"
    assert "Name of acme Ada" in text_of(await guest.get("/portal"))
    assert (await guest.send("POST", "/console/sign-in", fields)).status == 403


async def test_the_way_back_is_the_one_of_the_link(place: Place) -> None:
    """Where the platform's backend said there is one."""
    guest = await place.visiting(return_url="https://app.example.com/billing?x=1&y=2")
    assert b'<a href="https://app.example.com/billing?x=1&amp;y=2" target="_top"' in (await guest.get("/portal")).body
    assert b"Back</a>" not in (await (await place.visiting()).get("/portal")).body


async def _theme(guest: Browser, theme: str) -> bytes:
    await guest.send("POST", "/portal/theme", {"theme": theme, "next": "/portal/sign-in"})
    return (await guest.get("/portal/sign-in")).body


async def test_the_theme_is_kept(place: Place) -> None:
    """Without a script; what is no theme is none."""
    guest: Guest = place.guest()
    for theme, kept in (("dark", "dark"), ("light", "light"), ('x" onload="', "light")):
        assert f'data-theme="{kept}"'.encode() in await _theme(guest, theme)
