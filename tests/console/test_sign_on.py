"""Single sign-on at the console, with an issuer that is really asked: who gets in, and all the ways not to."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from headgate.console.app import create_console
from headgate.tenancy.sign_on.issuer import BadIssuer, Issuer, SignOnSettings
from headgate.tenancy.sign_on.matching import Matching
from headgate.tenancy.sign_on.service import SignOnService
from headgate.tenancy.tickets import Tickets
from headgate.upstream.client import Client
from headgate.upstream.fetch import Asker
from headgate.upstream.guard import Guard
from tests.console.conftest import Browser, text_of
from tests.support.administration import PEPPER, World
from tests.support.asgi import Reply
from tests.support.http import call
from tests.support.issuer import CLIENT, SECRET, LoopbackIssuer, issuing
from tests.support.people import invited, joined

OTHER_KEY = rsa.generate_private_key(65_537, 2_048)


class Desk:
    """A console with an issuer: `reported` is what its operator is told."""

    def __init__(self, world: World, issuer: LoopbackIssuer, client: Client) -> None:
        self.world = world
        self.issuer = issuer
        self.client = client
        self.reported: list[str] = []

    def _report(self, what: str, error: BaseException) -> None:
        self.reported.append(f"{what}: {error}")

    def browser(self, **settings: Any) -> Browser:
        told = SignOnSettings(**{"issuer": self.issuer.url, "client_id": CLIENT, "client_secret": SECRET, **settings})
        issuer = Issuer(told, Asker(self.client), self.world.clock, self._report)
        administration = self.world.administration
        matching, tickets = Matching(administration, told, PEPPER), Tickets(PEPPER, self.world.clock)
        service = SignOnService(issuer, matching, tickets, administration, "http://test")
        services = replace(self.world.services, sign_on=service)
        return Browser(self.world, create_console(services, dict, "http://test"))


@pytest.fixture
async def desk(world: World) -> AsyncIterator[Desk]:
    client = Client(guard=Guard())
    async with issuing(world.clock.now() // 1_000_000_000) as issuer:
        yield Desk(world, issuer, client)
        await client.close()


async def there(browser: Browser, wanted: str = "/console/audit") -> str:
    """Through the issuer, and the address it sends the browser back to."""
    begun = await browser.send("GET", f"/console/sign-on?next={wanted}")
    assert begun.status == 303, text_of(begun)
    told = await asyncio.to_thread(call, "GET", begun.headers["location"])
    assert told.status == 302
    return (told.header("location") or "").removeprefix("http://test")


async def signed_on(browser: Browser, wanted: str = "/console/audit") -> Reply:
    """All the way, but for the page that he is sent to."""
    return await browser.send("GET", await there(browser, wanted))


async def inside(browser: Browser) -> bool:
    return (await browser.send("GET", "/console")).status == 200


async def test_a_user_signs_in_with_his_address(desk: Desk) -> None:
    """Confirmed by the issuer, whatever its case; he comes where he was going, and signs out of our session."""
    await joined(desk.world, "ann@example.com", "admin")
    browser = desk.browser()
    assert "Single sign-on" in text_of(await browser.get("/console/sign-in"))
    reply = await signed_on(browser)
    assert (reply.status, reply.headers["location"]) == (303, "/console/audit"), text_of(reply)
    assert await inside(browser)
    audit = [each for each in await desk.world.audit() if each.action == "link"]
    assert [desk.issuer.url in each.body for each in audit] == [True]
    await browser.post("/console/sign-out", page="/console/account")
    assert not await inside(browser)
    assert desk.issuer.asked == ["/.well-known/openid-configuration", "/jwks", "/authorize", "/token"]


async def test_what_is_asked_of_the_issuer(desk: Desk) -> None:
    """A code, with PKCE by SHA-256, and with a state and a nonce that nobody can foretell. The cookie that waits for
    the answer is for the way back only."""
    browser = desk.browser(scopes="openid email")
    begun = await browser.send("GET", "/console/sign-on")
    query = parse_qs(urlsplit(begun.headers["location"]).query)
    assert query["redirect_uri"] == ["http://test/console/sign-on/callback"]
    assert (query["scope"], query["code_challenge_method"]) == (["openid email"], ["S256"])
    assert len({*query["state"], *query["nonce"], *query["code_challenge"]}) == 3
    assert all(len(base64.urlsafe_b64decode(query[name][0] + "=")) == 32 for name in ("state", "nonce"))
    cookie = SimpleCookie(begun.headers["set-cookie"])["headgate_sign_on"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/console/sign-on", True, "lax")
    assert not any(query[name][0] in cookie.value for name in ("state", "nonce"))


async def test_keys_are_asked_for_again_after_a_rotation(desk: Desk) -> None:
    """Of either kind, without waiting."""
    await joined(desk.world, "ann@example.com", "admin")
    browser = desk.browser()
    assert (await signed_on(browser)).status == 303
    for key_id, elliptic in (("two", True), ("three", False)):
        desk.issuer.rotate(key_id, elliptic=elliptic)
        assert (await signed_on(browser)).status == 303
    assert desk.issuer.asked.count("/jwks") == 3
    assert desk.issuer.asked.count("/.well-known/openid-configuration") == 1


BAD_TOKENS: dict[str, dict[str, Any]] = {
    "nonce": {"claims": {"nonce": "another"}},
    "no nonce": {"claims": {"nonce": None}},
    "audience": {"claims": {"aud": "another"}},
    "audiences": {"claims": {"aud": [CLIENT, "another"]}},
    "party": {"claims": {"azp": "another"}},
    "issuer": {"claims": {"iss": "https://evil.test"}},
    "expired": {"claims": {"exp": 1_800_000_000 - 61}},
    "no expiry": {"claims": {"exp": None}},
    "future": {"claims": {"iat": 1_800_000_000 + 120}},
    "not yet": {"claims": {"nbf": 1_800_000_000 + 120}},
    "no subject": {"claims": {"sub": None}},
    "no address": {"claims": {"email": None}},
    "alg none": {"algorithm": "none"},
    "unknown key": {"header": {"kid": "nobody's"}},
    "other key": {"signed_by": OTHER_KEY},
    "other algorithm": {"algorithm": "RS512"},
    "symmetric": {"algorithm": "HS256", "signed_by": b"k" * 32},
}


@pytest.mark.parametrize("wrong", BAD_TOKENS)
async def test_a_token_that_is_not_in_order_lets_nobody_in(desk: Desk, wrong: str) -> None:
    """He is told so in plain words, and the operator what it was; the one after it is good."""
    await joined(desk.world, "ann@example.com", "admin")
    browser = desk.browser()
    before = dict(vars(desk.issuer))
    vars(desk.issuer).update(BAD_TOKENS[wrong])
    reply = await signed_on(browser)
    assert (reply.status, "not in order" in text_of(reply)) == (401, True)
    assert len(desk.reported) == 1
    assert not await inside(browser)
    vars(desk.issuer).update({name: before[name] for name in BAD_TOKENS[wrong]})
    assert (await signed_on(browser)).status == 303


async def test_an_answer_that_another_browser_began_lets_nobody_in(desk: Desk) -> None:
    """Whoever is made to follow somebody else's link does not become him: state, cookie and site must fit."""
    await joined(desk.world, "ann@example.com", "admin")
    attacker, victim = desk.browser(), desk.browser()
    link = await there(attacker)
    assert (await victim.send("GET", link)).status == 401
    await there(victim)
    assert (await victim.send("GET", link)).status == 401
    code = parse_qs(urlsplit(link).query)["code"][0]
    for query in ("", f"?code={code}", f"?code={code}&state=", f"?code={code}&state=%C3%A9"):
        assert (await attacker.send("GET", f"/console/sign-on/callback{query}")).status == 401
    assert not await inside(victim)
    assert not await inside(attacker)


async def test_a_code_works_once_and_an_answer_not_for_long(desk: Desk) -> None:
    """Neither again with the cookie of the first time, nor after ten minutes, nor from an issuer we did not ask."""
    await joined(desk.world, "ann@example.com", "admin")
    browser = desk.browser()
    link = await there(browser)
    kept = dict(browser.cookies)
    assert (await browser.send("GET", link)).status == 303
    assert browser.cookies["headgate_sign_on"] in ("", '""')
    again = desk.browser()
    again.cookies = kept
    assert (await again.send("GET", link)).status == 401
    late = await there(again)
    desk.world.clock.move(601)
    assert (await again.send("GET", late)).status == 401
    mixed = await there(again)
    assert (await again.send("GET", mixed.replace("iss=http", "iss=https"))).status == 401
    assert not await inside(again)


async def test_an_issuer_that_is_away_is_said_to_be(desk: Desk) -> None:
    """At every step; other ways in are not touched, and nothing is remembered of its being away."""
    await joined(desk.world, "ann@example.com", "admin")
    for path in ("/.well-known/openid-configuration", "/jwks"):
        desk.issuer.down = {path}
        browser = desk.browser()
        reply = await browser.send("GET", "/console/sign-on")
        assert (reply.status, "does not answer now" in text_of(reply)) == (503, True)
    desk.issuer.down = {"/token"}
    assert (await signed_on(browser)).status == 503
    assert (await browser.sign_in(key=desk.world.admin_key)).status == 200
    desk.issuer.down = set()
    assert (await signed_on(desk.browser())).status == 303
    gone = desk.browser(issuer="http://127.0.0.1:9")
    assert (await gone.send("GET", "/console/sign-on")).status == 503
    assert not any("127.0.0.1" in text_of(each) for each in (reply,))


@pytest.mark.parametrize("field", ["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"])
async def test_an_issuer_that_points_elsewhere_is_not_followed(desk: Desk, field: str) -> None:
    """It must call itself what the settings say, and keep to TLS."""
    await joined(desk.world, "ann@example.com", "admin")
    desk.issuer.discovery = {field: "http://evil.test/"}
    browser = desk.browser()
    reply = await browser.send("GET", "/console/sign-on")
    if field == "token_endpoint":
        reply = await signed_on(browser)
    assert reply.status == 503


async def test_private_addresses_are_for_who_allows_them(desk: Desk) -> None:
    """The issuer is asked over the same guarded client as providers are."""
    desk.client = Client(guard=Guard(allow_private=False))
    reply = await desk.browser().send("GET", "/console/sign-on")
    await desk.client.close()
    assert reply.status == 503
    assert "not allowed by the settings" in desk.reported[0]


async def test_who_turned_back_is_told_so(desk: Desk) -> None:
    """The issuer's own words are not repeated, only the name of its error."""
    browser = desk.browser()
    for error, words in (("access_denied", "turned back"), ("server_error", "server_error"), ("<b>x", "no name")):
        desk.issuer.error = error
        reply = await signed_on(browser)
        assert (reply.status, words in text_of(reply)) == (401, True)
        assert b"<b>x" not in reply.body


async def test_an_address_that_is_not_confirmed_is_nobody_s(desk: Desk) -> None:
    """Whoever typed somebody's address at the issuer is not him."""
    await joined(desk.world, "ann@example.com", "admin")
    browser = desk.browser()
    for verified in (False, None, "false", 1.5):
        desk.issuer.person["email_verified"] = verified
        reply = await signed_on(browser)
        assert (reply.status, "not confirmed" in text_of(reply)) == (403, True)
    assert not await inside(browser)


async def test_who_is_no_user_stays_outside(desk: Desk) -> None:
    """Nobody is made unless the settings say so; an address of another domain is not looked at."""
    browser = desk.browser()
    reply = await signed_on(browser)
    assert (reply.status, "Ask an administrator to invite you" in text_of(reply)) == (403, True)
    await joined(desk.world, "ann@example.com", "admin")
    assert (await signed_on(desk.browser(domains=("example.org",)))).status == 403
    assert (await signed_on(desk.browser(domains=("example.org", "example.com")))).status == 303


async def test_a_user_who_is_removed_or_has_no_place_is_out(desk: Desk) -> None:
    """What the issuer says of him does not change that."""
    user = await joined(desk.world, "ann@example.com", "admin")
    browser = desk.browser()
    assert (await signed_on(browser)).status == 303
    await desk.world.ok("DELETE", f"/v1/admin/users/{user.id}")
    assert not await inside(browser)
    assert (await signed_on(browser)).status == 403
    await joined(desk.world, "ann@example.com", "member")
    reply = await signed_on(browser)
    assert (reply.status, "not a member of any workspace" in text_of(reply)) == (403, True)


async def test_once_he_has_come_he_is_known_by_his_subject(desk: Desk) -> None:
    """With another address he is the same; another one who has got his address is not."""
    await joined(desk.world, "ann@example.com", "admin")
    browser = desk.browser()
    assert (await signed_on(browser)).status == 303
    desk.issuer.person["email"] = "ann.other@example.com"
    assert (await signed_on(browser)).status == 303
    desk.issuer.person = {**desk.issuer.person, "sub": "bob-2", "email": "ann@example.com"}
    stranger = desk.browser()
    reply = await signed_on(stranger)
    assert (reply.status, "another person" in text_of(reply)) == (403, True)
    assert not await inside(stranger)


async def test_who_is_invited_accepts_with_it(desk: Desk) -> None:
    """With his places and the keys of the invite, shown this once; the link is none any more."""
    workspace = await desk.world.ok("POST", "/v1/admin/workspaces", {"name": "pro", "slug": "pro"})
    places = [{"id": "pro", "role": "member"}]
    details = {"scopes": ["completions.write"]}
    _, token = await invited(desk.world, "ann@example.com", workspaces=places, workspace_api_key_details=details)
    browser = desk.browser()
    reply = await signed_on(browser)
    assert (reply.status, "hg_" in text_of(reply)) == (200, True), text_of(reply)
    signed = await desk.world.services.sessions.signed_in(browser.cookies["headgate_session"])
    assert (signed.principal.workspace_id, signed.name) == (workspace["id"], "Ann")
    accept = {"token": token, "first_name": "A", "password": "a password of ours"}
    assert (await desk.browser().send("POST", "/console/invite", accept)).status == 404
    assert (await signed_on(desk.browser())).status == 303


async def test_users_are_made_where_the_settings_say_so(desk: Desk) -> None:
    """With the role and in the workspace they name, and audited."""
    await desk.world.ok("POST", "/v1/admin/workspaces", {"name": "pro", "slug": "pro"})
    browser = desk.browser(role="member", workspace="pro", domains=("example.com",))
    assert (await signed_on(browser)).status == 303
    assert await inside(browser)
    users = await desk.world.ok("GET", "/v1/admin/users")
    assert [(each["email"], each["role"]) for each in users["data"]] == [("ann@example.com", "member")]
    assert [each.action for each in await desk.world.audit() if each.resource.startswith("user:")] == ["create", "link"]
    desk.issuer.person = {"sub": "x", "email": "x@evil.test", "email_verified": True}
    assert (await signed_on(desk.browser(role="member", domains=("example.com",)))).status == 403


async def test_nobody_is_sent_to_another_site(desk: Desk) -> None:
    """Whatever stands in the link that began it."""
    await joined(desk.world, "ann@example.com", "admin")
    for wanted in (
        "https://evil.test/",
        "//evil.test",
        "/console/../v1",
        "/console%5Cevil",
        "/portal",
        "/console%0A",
    ):
        reply = await signed_on(desk.browser(), wanted)
        assert (reply.status, reply.headers["location"]) == (303, "/console"), wanted


async def test_who_tries_too_often_is_held_up(desk: Desk) -> None:
    """From one address, for a quarter of an hour."""
    browser = desk.browser()
    replies = [await browser.send("GET", "/console/sign-on/callback?code=x&state=y") for _ in range(101)]
    assert [each.status for each in replies[-2:]] == [401, 429]


async def test_without_an_issuer_there_is_none(browser: Browser) -> None:
    """No button, and a page that says so."""
    assert "Single sign-on" not in text_of(await browser.get("/console/sign-in"))
    assert (await browser.send("GET", "/console/sign-on")).status == 404
    assert (await browser.send("GET", "/console/sign-on/callback?code=x&state=y")).status == 404


@pytest.mark.parametrize(
    "wrong", [{"issuer": "http://login.example.com"}, {"issuer": "https://"}, {"scopes": "email profile"}]
)
def test_settings_that_would_let_others_in_are_refused(wrong: dict[str, str]) -> None:
    """Plain HTTP to another machine, and a scope without which nobody is told who signs in."""
    with pytest.raises(BadIssuer):
        SignOnSettings(**{"issuer": "https://login.example.com", "client_id": "x", **wrong})  # type: ignore[arg-type]
