"""Who gets in, how long he stays, and what another site can do about it: nothing."""

import asyncio
from http.cookies import SimpleCookie

from headgate.console.app import create_console
from headgate.storage.console_tables import console_session, user_password
from tests.console.conftest import Browser, text_of
from tests.support.administration import World, customer_key
from tests.support.people import invited, joined

PASSWORD = "a password of ours"


async def _user(browser: Browser, email: str = "ann@example.com", role: str = "admin") -> None:
    _, token = await invited(browser.world, email, role)
    fields = {"token": token, "first_name": "Ann", "last_name": "Other", "password": PASSWORD}
    reply = await browser.post("/console/invite", fields)
    assert reply.status == 200, text_of(reply)


async def test_who_has_not_signed_in_is_asked_to_and_comes_back(browser: Browser) -> None:
    """To the page he wanted."""
    asked = await browser.send("GET", "/console/tenants?range=30d")
    assert asked.status == 303
    assert asked.headers["location"] == "/console/sign-in?next=/console/tenants%3Frange%3D30d"
    reply = await browser.send("POST", "/console/sign-in", {"key": browser.world.admin_key, "next": "/console/audit"})
    assert (reply.status, reply.headers["location"]) == (303, "/console/audit")


async def test_nobody_is_sent_to_another_site(browser: Browser) -> None:
    """Whatever stands in the address."""
    for there in (
        "https://evil.test/",
        "//evil.test",
        "/console/../v1",
        "/console\\evil",
        "/consolation",
        "/console/\nx",
    ):
        fields = {"key": browser.world.admin_key, "next": there}
        reply = await browser.send("POST", "/console/sign-in", fields)
        assert reply.headers["location"] == "/console", there


async def test_the_cookie_is_for_this_site_only_and_no_script_reads_it(browser: Browser) -> None:
    """HttpOnly and SameSite; Secure where people come over TLS. What is kept of it opens nothing."""
    reply = await browser.send("POST", "/console/sign-in", {"key": browser.world.admin_key})
    cookie = SimpleCookie(reply.headers["set-cookie"])["headgate_session"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["secure"]) == (True, "lax", "/console", "")
    over_tls = Browser(browser.world, create_console(browser.world.services, dict, "https://gateway.example"))
    reply = await over_tls.send("POST", "/console/sign-in", {"key": browser.world.admin_key})
    assert SimpleCookie(reply.headers["set-cookie"])["headgate_session"]["secure"] is True
    rows = await browser.world.database.read(lambda c: c.execute(console_session.select()).mappings().all())
    assert cookie.value.encode() not in b"".join(row["token_hash"] for row in rows)


async def test_a_key_that_administers_nothing_stays_outside(browser: Browser) -> None:
    """A customer's key is none for the console, and an unknown one is told nothing."""
    workspace = await browser.world.ok("POST", "/v1/admin/workspaces", {"name": "pro"})
    _, key = await customer_key(browser.world, workspace["slug"])
    assert (await browser.sign_in(key=key)).status == 403
    unknown = key[:-1] + ("0" if key[-1] != "0" else "1")
    assert (await browser.sign_in(key=unknown)).status == 401
    assert browser.cookies == {}


async def test_a_session_ends_with_its_key(browser: Browser) -> None:
    """Revoked, the key opens nothing any more, and neither does the session it opened."""
    scopes = {"name": "second", "scopes": ["tenants.list"]}
    made = await browser.world.ok("POST", "/v1/api-keys/organisation/service", scopes)
    assert (await browser.sign_in(key=made["key"], next="/console/tenants")).status == 200
    await browser.world.ok("DELETE", f"/v1/api-keys/{made['id']}")
    assert (await browser.send("GET", "/console/tenants")).status == 303


async def test_a_session_ends_with_the_secret_that_opened_it(browser: Browser) -> None:
    """A key that is rotated at once, because somebody stole it, throws the thief out."""
    made = await browser.world.ok(
        "POST", "/v1/api-keys/organisation/service", {"name": "b", "scopes": ["tenants.list"]}
    )
    assert (await browser.sign_in(key=made["key"], next="/console/tenants")).status == 200
    await browser.world.ok("POST", f"/v1/api-keys/{made['id']}/rotate", {"key_transition_period_ms": 0})
    assert (await browser.send("GET", "/console/tenants")).status == 303


async def test_an_invite_is_accepted_with_a_password(browser: Browser) -> None:
    """He is signed in, and later signs in with it. What is kept is an argon2id hash."""
    await _user(browser)
    assert "Ann Other" in text_of(await browser.get("/console"))
    again = Browser(browser.world, browser.app)
    assert (await again.sign_in(email="Ann@Example.com", password=PASSWORD)).status == 200
    rows = await browser.world.database.read(lambda c: c.execute(user_password.select()).mappings().all())
    assert [row["hash"].startswith("$argon2id$") for row in rows] == [True]
    audit = "".join(
        entry.body + (entry.origin.request_body if entry.origin else "") for entry in await browser.world.audit()
    )
    assert PASSWORD not in audit


async def test_a_wrong_password_and_an_unknown_user_answer_alike(browser: Browser) -> None:
    """In the same words, and after a few the address of the user is closed for a while, for the right one too."""
    await _user(browser)
    stranger = Browser(browser.world, browser.app)
    wrong = await stranger.sign_in(email="ann@example.com", password="not this one")
    unknown = await stranger.sign_in(email="bob@example.com", password="not this one")
    assert wrong.status == unknown.status == 401
    assert text_of(wrong).replace("ann@", "bob@") == text_of(unknown)
    for _ in range(9):
        await stranger.sign_in(email="ann@example.com", password="not this one")
    assert (await stranger.sign_in(email="ann@example.com", password=PASSWORD)).status == 429
    browser.world.clock.move(901)
    assert (await stranger.sign_in(email="ann@example.com", password=PASSWORD)).status == 200


async def test_guesses_at_once_are_no_more_than_guesses_in_turn(browser: Browser) -> None:
    """Each counts before it is looked at; signing in rightly many times is no guessing."""
    await _user(browser)
    strangers = [Browser(browser.world, browser.app) for _ in range(25)]
    replies = await asyncio.gather(*(each.sign_in(email="ann@example.com", password="not this") for each in strangers))
    assert sorted(each.status for each in replies) == [401] * 10 + [429] * 15
    browser.world.clock.move(901)
    for _ in range(12):
        assert (await strangers[0].sign_in(email="ann@example.com", password=PASSWORD)).status == 200


async def test_sessions_run_out(admin: Browser) -> None:
    """Left alone for an hour, or after a day whatever is done: the settings of this world."""
    admin.world.clock.move(3_500)
    assert (await admin.send("GET", "/console")).status == 200
    admin.world.clock.move(3_700)
    assert (await admin.send("GET", "/console")).status == 303
    await admin.sign_in(key=admin.world.admin_key)
    for _ in range(28):
        admin.world.clock.move(3_000)
        assert (await admin.send("GET", "/console")).status == 200
    admin.world.clock.move(3_000)
    assert (await admin.send("GET", "/console")).status == 303


async def test_whoever_signs_out_is_out_here_and_elsewhere(admin: Browser) -> None:
    """The cookie opens nothing afterwards. Other sessions of the same key are listed, and can be ended."""
    other = Browser(admin.world, admin.app)
    await other.sign_in(key=admin.world.admin_key)
    token = dict(admin.cookies)
    sessions = await admin.world.services.sessions.of(
        await admin.world.services.sessions.signed_in(other.cookies["headgate_session"])
    )
    assert len(sessions) == 2
    await admin.post("/console/sign-out", {"session": sessions[0].id}, page="/console/account")
    assert (await other.send("GET", "/console")).status == 303
    await admin.post("/console/sign-out", page="/console/account")
    admin.cookies = token
    assert (await admin.send("GET", "/console")).status == 303


async def test_a_new_password_ends_the_other_sessions(browser: Browser) -> None:
    """And the one before is none any more; without it nothing is changed."""
    await _user(browser)
    thief = Browser(browser.world, browser.app)
    await thief.sign_in(email="ann@example.com", password=PASSWORD)
    path, page = "/console/account/password", "/console/account"
    assert (await browser.post(path, {"before": "wrong one", "after": "another password"}, page)).status == 400
    assert (await browser.post(path, {"before": PASSWORD, "after": "short"}, page)).status == 400
    assert (await browser.post(path, {"before": PASSWORD, "after": "another password"}, page)).status == 200
    assert (await thief.send("GET", "/console")).status == 303
    assert (await browser.send("GET", "/console")).status == 200
    assert (await thief.sign_in(email="ann@example.com", password=PASSWORD)).status == 401


async def test_a_user_who_is_removed_is_out(browser: Browser) -> None:
    """With his password and his sessions."""
    await _user(browser)
    users = await browser.world.ok("GET", "/v1/admin/users")
    await browser.world.ok("DELETE", f"/v1/admin/users/{users['data'][0]['id']}")
    assert (await browser.send("GET", "/console")).status == 303


async def test_other_sites_send_no_forms(admin: Browser) -> None:
    """Neither with the cookie alone, nor from elsewhere with a secret they guessed; sign-in is no exception."""
    assert (await admin.send("POST", "/console/sign-out", {})).status == 403
    for made_up in ("", "x", "0" * 64, "0" * 128):
        assert (await admin.send("POST", "/console/sign-out", {"csrf": made_up})).status == 403
    fields = {"key": admin.world.admin_key}
    for origin in ("https://evil.test", "null", "", "http://test.evil"):
        assert (await admin.send("POST", "/console/sign-in", fields, {"origin": origin})).status == 403
        assert (await admin.send("POST", "/console/sign-out", {}, {"origin": origin})).status == 403
    assert (await admin.send("GET", "/console")).status == 200


async def test_a_member_of_several_workspaces_chooses(browser: Browser) -> None:
    """He sees one of them at a time, and only his own."""
    world: World = browser.world
    ids = {}
    for slug in ("one", "two", "three"):
        ids[slug] = (await world.ok("POST", "/v1/admin/workspaces", {"name": slug, "slug": slug}))["id"]
        await world.ok("POST", "/v1/admin/tenants", {"name": f"tenant of {slug}", "workspace_id": slug})
    _, token = await invited(
        world, "m@example.com", workspaces=[{"id": "one", "role": "member"}, {"id": "two", "role": "member"}]
    )
    await browser.post("/console/invite", {"token": token, "first_name": "M", "password": PASSWORD})
    await browser.post("/console/account/workspace", {"workspace": ids["one"]}, page="/console/account")
    assert "tenant of one" in text_of(await browser.get("/console/tenants"))
    await browser.post("/console/account/workspace", {"workspace": ids["two"]}, page="/console/account")
    seen = text_of(await browser.get("/console/tenants"))
    assert "tenant of two" in seen
    assert "tenant of one" not in seen
    gone = await browser.post("/console/account/workspace", {"workspace": ids["three"]}, page="/console/account")
    assert gone.status == 404


async def test_a_user_without_a_password_does_not_sign_in(browser: Browser) -> None:
    """An invite that was accepted over the API without one leaves nothing to guess."""
    user = await joined(browser.world, "api@example.com", "admin")
    assert (await browser.sign_in(email=user.email, password="")).status == 401


async def test_without_a_mail_server_administrators_are_asked_for_a_link(browser: Browser) -> None:
    """The page says so, and sends nothing."""
    assert "Ask an administrator for a link" in text_of(await browser.get("/console/password"))
    reply = await browser.send("POST", "/console/password", {"email": "ann@example.com"})
    assert "Ask an administrator for a link" in text_of(reply)


async def test_one_signs_out_everywhere_else(browser: Browser) -> None:
    """With one button; this session goes on, and those of others too."""
    await _user(browser)
    others = [Browser(browser.world, browser.app) for _ in range(3)]
    for each in others[:2]:
        await each.sign_in(email="ann@example.com", password=PASSWORD)
    await others[2].sign_in(key=browser.world.admin_key)
    assert text_of(await browser.get("/console/account")).count("End") == 2
    assert (await browser.post("/console/account/sessions/end", {}, "/console/account")).status == 200
    assert [(await each.send("GET", "/console")).status for each in (*others, browser)] == [303, 303, 200, 200]
    assert [each.action for each in await browser.world.audit()][-1] == "end_others"
