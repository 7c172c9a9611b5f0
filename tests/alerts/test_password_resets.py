"""A forgotten password: by a letter through a real mail server, or by a link of an administrator's."""

import re
from collections.abc import AsyncIterator

import pytest

from headgate.console.app import create_console
from headgate.storage.alert_tables import event
from headgate.storage.database import Database
from headgate.storage.sign_in_tables import password_reset
from tests.alerts.test_letters import read, sender
from tests.console.conftest import Browser, text_of
from tests.support.administration import MovedClock, World
from tests.support.alerting import Alerting, alerting
from tests.support.people import invited, joined
from tests.support.smtp_server import SmtpServer

EMAIL, PASSWORD, NEW = "ann@example.com", "a password of ours", "another password"
ASK, CHOOSE = "/console/password", "/console/password/new"


@pytest.fixture
async def server() -> AsyncIterator[SmtpServer]:
    async with SmtpServer() as opened:
        yield opened


@pytest.fixture
async def alerts(quick_database: Database, server: SmtpServer) -> AsyncIterator[Alerting]:
    clock = MovedClock()
    async with alerting(quick_database, clock=clock, letters=sender(server, clock)) as opened:
        yield opened


def browser_of(world: World) -> Browser:
    return Browser(world, create_console(world.services, dict, "http://test"))


async def user(browser: Browser, email: str = EMAIL, role: str = "admin") -> str:
    """Signed in with a password; the id."""
    invite, token = await invited(browser.world, email, role)
    reply = await browser.post("/console/invite", {"token": token, "first_name": "Ann", "password": PASSWORD})
    assert reply.status == 200, text_of(reply)
    found = await browser.world.ok("GET", f"/v1/admin/users/invites/{invite}")
    return str(found["user_id"]) if "user_id" in found else await id_of(browser.world, email)


async def id_of(world: World, email: str) -> str:
    return str((await world.ok("GET", f"/v1/admin/users?email={email}"))["data"][0]["id"])


def token_in(server: SmtpServer) -> str:
    found = re.search(r"http://\S+#token=(\S+)", read(server.letters[-1]).get_content())
    assert found is not None
    return found[1]


async def test_who_has_forgotten_it_asks_for_a_letter(alerts: Alerting, server: SmtpServer) -> None:
    """Its link works once. The old password is none any more, all sessions end, and the letter lay sealed."""
    signed_in, stranger = browser_of(alerts.world), browser_of(alerts.world)
    await user(signed_in)
    asked = await stranger.send("POST", ASK, {"email": " Ann@Example.com "})
    assert "a letter is on its way" in text_of(asked)
    bodies = await alerts.database.read(lambda c: c.execute(event.select()).mappings().all())
    await alerts.deliver()
    assert [each.recipient for each in server.letters] == [EMAIL]
    token = token_in(server)
    assert not any(token in each["body"] for each in bodies)
    assert (await stranger.send("POST", CHOOSE, {"token": token, "password": "short"})).status == 400
    chosen = await stranger.send("POST", CHOOSE, {"token": token, "password": NEW})
    assert (chosen.status, chosen.cookies) == (200, ())
    assert (await signed_in.send("GET", "/console")).status == 303
    assert (await stranger.sign_in(email=EMAIL, password=PASSWORD)).status == 401
    assert (await stranger.sign_in(email=EMAIL, password=NEW)).status == 200
    assert (await stranger.send("POST", CHOOSE, {"token": token, "password": PASSWORD})).status == 404
    audit = await alerts.world.audit()
    assert [each.action for each in audit if each.resource.startswith("password_reset:")] == ["ask"]
    whole = "".join(each.body + (each.origin.request_body if each.origin else "") for each in audit)
    assert not any(each in whole for each in (token, PASSWORD, NEW))


async def test_nobody_learns_who_is_a_user(alerts: Alerting, server: SmtpServer) -> None:
    """The answer is the same for a user, a user without a password and nobody, and so is being held up."""
    browser = browser_of(alerts.world)
    await user(browser)
    await joined(alerts.world, "api@example.com", "admin")
    for email in (EMAIL, "api@example.com", "nobody@example.com", "", "\0", "x" * 400):
        replies = [await browser_of(alerts.world).send("POST", ASK, {"email": email}) for _ in range(4)]
        assert [each.status for each in replies] == ([200, 200, 200, 429] if email else [200] * 4), email
        assert len({each.body for each in replies[:3]}) == 1
    await alerts.deliver()
    assert {each.recipient for each in server.letters} == {EMAIL}
    assert len(server.letters) == 3


async def test_links_are_over_soon_and_with_each_other(alerts: Alerting, server: SmtpServer) -> None:
    """After half an hour, and when another one was used; made up they are refused in the same words."""
    browser = browser_of(alerts.world)
    await user(browser)
    tokens = []
    for _ in range(2):
        await browser.send("POST", ASK, {"email": EMAIL})
        await alerts.deliver()
        tokens.append(token_in(server))
    assert (await browser.send("POST", CHOOSE, {"token": tokens[1], "password": NEW})).status == 200
    used = await browser.send("POST", CHOOSE, {"token": tokens[0], "password": NEW})
    made_up = await browser.send("POST", CHOOSE, {"token": "x", "password": NEW})
    assert (used.status, made_up.status, text_of(used)) == (404, 404, text_of(made_up))
    await browser.send("POST", ASK, {"email": EMAIL})
    await alerts.deliver()
    alerts.world.clock.move(1_801)
    assert (await browser.send("POST", CHOOSE, {"token": token_in(server), "password": NEW})).status == 404


async def test_an_administrator_hands_over_a_link(alerts: Alerting) -> None:
    """Also to a user who never had a password; it is shown once, and kept as an HMAC. It goes with its user."""
    admin, browser = browser_of(alerts.world), browser_of(alerts.world)
    await admin.sign_in(key=alerts.world.admin_key)
    joined_user = await joined(alerts.world, "api@example.com", "admin")
    page = f"/console/people/{joined_user.id}"
    reply = await admin.post(f"{page}/password-link", {}, page)
    found = re.search(r"http://[^<]+/console/password/new#token=([0-9a-z]{40})", reply.body.decode())
    assert found is not None, text_of(reply)
    rows = await alerts.database.read(lambda c: c.execute(password_reset.select()).mappings().all())
    assert found[1].encode() not in rows[0]["token_hash"]
    alerts.world.clock.move(3_600)
    assert (await browser.send("POST", CHOOSE, {"token": found[1], "password": NEW})).status == 200
    assert (await browser.sign_in(email="api@example.com", password=NEW)).status == 200
    await admin.sign_in(key=alerts.world.admin_key)
    await admin.post(f"{page}/password-link", {}, page)
    await alerts.world.ok("DELETE", f"/v1/admin/users/{joined_user.id}")
    assert not await alerts.database.read(lambda c: c.execute(password_reset.select()).all())


async def test_nobody_opens_a_way_in_for_who_may_do_more(alerts: Alerting) -> None:
    """An admin makes no link for an owner, nor a key with few scopes one for an admin."""
    owner, admin = browser_of(alerts.world), browser_of(alerts.world)
    boss = await user(owner, "boss@example.com", "owner")
    ann = await user(admin)
    page = f"/console/people/{boss}"
    assert (await admin.post(f"{page}/password-link", {}, page)).status == 403
    few = {"name": "few", "scopes": ["organisation_users.read", "organisation_users.update", "organisation_users.list"]}
    key = await alerts.world.ok("POST", "/v1/api-keys/organisation/service", few)
    clerk = browser_of(alerts.world)
    await clerk.sign_in(key=key["key"], next="/console/people")
    for each in (boss, ann):
        page = f"/console/people/{each}"
        assert (await clerk.post(f"{page}/password-link", {}, page)).status == 403
    assert not await alerts.database.read(lambda c: c.execute(password_reset.select()).all())


async def test_other_sites_ask_for_nothing(alerts: Alerting) -> None:
    """Neither for a letter nor for a new password."""
    browser = browser_of(alerts.world)
    for path in (ASK, CHOOSE):
        assert (await browser.send("POST", path, {"email": EMAIL}, {"origin": "https://evil.test"})).status == 403
