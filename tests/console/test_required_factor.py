"""An organization that requires a second factor: who has none sets one up after the password, before anything else."""

import re

from tests.console.conftest import Browser, text_of
from tests.console.test_second_factor import ACCOUNT, EMAIL, PASSWORD, _code, _secret, _set_up, _user
from tests.support.asgi import Reply
from tests.support.people import invited

ENROL = "/console/sign-in/enrol"


async def _require(browser: Browser, required: bool = True) -> None:
    await browser.world.ok("PUT", "/v1/admin/organisation", {"require_second_factor": required})


def _ticket(reply: Reply) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', reply.body.decode())
    assert found is not None, text_of(reply)
    return found[1]


async def test_who_has_none_sets_one_up_after_the_password(browser: Browser) -> None:
    """No session is opened before its first code is right; then the recovery codes are shown, and he is inside."""
    await _user(browser)
    await _require(browser)
    fresh = Browser(browser.world, browser.app)
    asked = await fresh.sign_in(email=EMAIL, password=PASSWORD, next="/console/audit")
    secret, ticket = _secret(asked), _ticket(asked)
    assert "set-cookie" not in asked.headers
    assert (await fresh.send("GET", "/console")).status == 303
    wrong = "000000" if _code(browser, secret) != "000000" else "111111"
    again = await fresh.send("POST", ENROL, {"ticket": ticket, "code": wrong, "next": "/console/audit"})
    assert (again.status, _secret(again)) == (400, secret)
    fields = {"ticket": ticket, "code": _code(browser, secret), "next": "/console/audit"}
    done = await fresh.send("POST", ENROL, fields)
    assert len(re.findall(r"<li><code>([0-9a-z-]{19})</code>", done.body.decode())) == 10, text_of(done)
    assert b'href="/console/audit">I have kept them' in done.body
    assert (await fresh.send("GET", "/console/audit")).status == 200
    assert (await fresh.send("POST", ENROL, fields)).status == 409
    browser.world.clock.move(30)
    assert "Your second factor" in text_of(
        await Browser(browser.world, browser.app).sign_in(email=EMAIL, password=PASSWORD)
    )


async def test_sessions_without_one_end_when_it_is_required(browser: Browser) -> None:
    """Those of users with a password alone; keys, and users who have one, stay where they are."""
    await _user(browser)
    proven = Browser(browser.world, browser.app)
    await _user(proven, "bob@example.com")
    await _set_up(proven)
    admin = Browser(browser.world, browser.app)
    await admin.sign_in(key=browser.world.admin_key)
    await _require(browser)
    assert (await browser.send("GET", "/console")).status == 303
    assert (await proven.send("GET", "/console")).status == 200
    assert (await admin.send("GET", "/console")).status == 200
    await _require(browser, False)
    assert (await browser.sign_in(email=EMAIL, password=PASSWORD)).status == 200


async def test_it_cannot_be_taken_off_while_it_is_required(browser: Browser) -> None:
    """By its user; an administrator resets it, and the next sign-in sets up another one."""
    await _user(browser)
    _, codes = await _set_up(browser)
    await _require(browser)
    assert "Your organization requires one" in text_of(await browser.get(ACCOUNT))
    fields = {"password": PASSWORD, "code": codes[0]}
    assert (await browser.post(f"{ACCOUNT}/second-factor/remove", fields, ACCOUNT)).status == 409
    admin = Browser(browser.world, browser.app)
    await admin.sign_in(key=browser.world.admin_key)
    users = await browser.world.ok("GET", "/v1/admin/users")
    page = f"/console/people/{users['data'][0]['id']}"
    assert (await admin.post(f"{page}/second-factor", {}, page)).status == 200
    assert _secret(await Browser(browser.world, browser.app).sign_in(email=EMAIL, password=PASSWORD))


async def test_an_accepted_invite_opens_no_session_either(browser: Browser) -> None:
    """Its password is one like any other."""
    await _require(browser)
    _, token = await invited(browser.world, EMAIL, "admin")
    fields = {"token": token, "first_name": "Ann", "password": PASSWORD}
    welcome = await browser.send("POST", "/console/invite", fields)
    assert "set-cookie" not in welcome.headers
    assert "requires a second factor" in text_of(welcome)
    assert _secret(await browser.sign_in(email=EMAIL, password=PASSWORD))


async def test_a_ticket_enrols_its_own_user_and_is_over_soon(browser: Browser) -> None:
    """One of a second factor that is there is none for this, nor one that is made up or old."""
    await _user(browser)
    await _require(browser)
    reply = await browser.sign_in(email=EMAIL, password=PASSWORD)
    secret, ticket = _secret(reply), _ticket(reply)
    for made_up in ("", "x", ticket[4:]):
        code = _code(browser, secret)
        assert (await browser.send("POST", ENROL, {"ticket": made_up, "code": code})).status == 401
    assert (await browser.send("POST", "/console/sign-in/code", {"ticket": ticket, "code": "1"})).status == 401
    browser.world.clock.move(301)
    assert (await browser.send("POST", ENROL, {"ticket": ticket, "code": _code(browser, secret)})).status == 401


async def test_the_setting_is_on_the_page_and_in_the_audit_log(admin: Browser) -> None:
    """Ticked and not ticked, and nothing else than true or false over HTTP."""
    fields = {"name": "Ours", "time_zone": "UTC", "require_second_factor": "yes"}
    assert (await admin.post("/console/settings", fields, "/console/settings")).status == 200
    assert (await admin.world.ok("GET", "/v1/admin/organisation"))["require_second_factor"] is True
    entry = (await admin.world.audit())[-1]
    assert (entry.action, '"require_second_factor":true' in entry.body) == ("update", True)
    assert b'value="yes" checked' in (await admin.get("/console/settings")).body
    del fields["require_second_factor"]
    await admin.post("/console/settings", fields, "/console/settings")
    assert (await admin.world.ok("GET", "/v1/admin/organisation"))["require_second_factor"] is False
    refused = await admin.world.call("PUT", "/v1/admin/organisation", {"require_second_factor": None})
    assert refused.status == 400
