"""A second factor at the console: set up, asked for, used once, taken off; and what guessing comes to: nothing."""

import base64
import re

from headgate.storage.console_tables import user_password
from headgate.storage.sign_in_tables import second_factor
from headgate.tenancy.reseal import reseal
from headgate.tenancy.second_factor import code_at
from headgate.tenancy.vault import MasterKey, Vault
from tests.console.conftest import Browser, text_of
from tests.support.asgi import Reply
from tests.support.people import invited

EMAIL, PASSWORD = "ann@example.com", "a password of ours"
ACCOUNT, SET_UP = "/console/account", "/console/account/second-factor"


async def _user(browser: Browser, email: str = EMAIL, role: str = "admin") -> None:
    _, token = await invited(browser.world, email, role)
    reply = await browser.post("/console/invite", {"token": token, "first_name": "Ann", "password": PASSWORD})
    assert reply.status == 200, text_of(reply)


def _code(browser: Browser, secret: str, off: int = 0) -> str:
    padded = secret + "=" * (-len(secret) % 8)
    return code_at(base64.b32decode(padded), browser.world.clock.now() // 30_000_000_000 + off)


def _secret(reply: Reply) -> str:
    found = re.search(r'class="secret"><code>([A-Z2-7]{32})</code>', reply.body.decode())
    assert found is not None, text_of(reply)
    return found[1]


async def _set_up(browser: Browser) -> tuple[str, list[str]]:
    """The secret and the recovery codes; the clock goes on, so that the next code is another one."""
    secret = _secret(await browser.post(SET_UP, {"password": PASSWORD}, ACCOUNT))
    reply = await browser.post(f"{SET_UP}/confirm", {"code": _code(browser, secret)}, ACCOUNT)
    codes = re.findall(r"<li><code>([0-9a-z-]{19})</code>", reply.body.decode())
    assert len(codes) == 10, text_of(reply)
    browser.world.clock.move(30)
    return secret, codes


async def _password(browser: Browser) -> str:
    """The ticket that comes of the right password."""
    reply = await browser.sign_in(email=EMAIL, password=PASSWORD, next="/console/audit")
    found = re.search(r'name="ticket" value="([^"]+)"', reply.body.decode())
    assert found is not None, text_of(reply)
    assert "set-cookie" not in reply.headers
    return found[1]


async def _enter(browser: Browser, ticket: str, code: str) -> Reply:
    fields = {"ticket": ticket, "code": code, "next": "/console/audit"}
    return await browser.send("POST", "/console/sign-in/code", fields)


async def test_a_password_alone_lets_nobody_in_any_more(browser: Browser) -> None:
    """Set up with a QR code, confirmed with a code; then a code is asked for, and leads to where he was going."""
    await _user(browser)
    shown = await browser.post(SET_UP, {"password": PASSWORD}, ACCOUNT)
    assert b"<svg" in shown.body
    assert b"style=" not in shown.body
    assert "otpauth://totp/Headgate%3Aann%40example.com" in text_of(shown)
    secret, _ = await _set_up(browser)
    fresh = Browser(browser.world, browser.app)
    ticket = await _password(fresh)
    assert (await fresh.send("GET", "/console")).status == 303
    reply = await _enter(fresh, ticket, _code(browser, secret))
    assert (reply.status, reply.headers["location"]) == (303, "/console/audit")
    assert (await fresh.send("GET", "/console")).status == 200


async def test_a_code_works_once(browser: Browser) -> None:
    """Whoever looked over the shoulder is too late, and so is the code before it; the next one is good."""
    await _user(browser)
    secret, _ = await _set_up(browser)
    one, two = Browser(browser.world, browser.app), Browser(browser.world, browser.app)
    code = _code(browser, secret)
    assert (await _enter(one, await _password(one), code)).status == 303
    ticket = await _password(two)
    assert (await _enter(two, ticket, code)).status == 401
    assert (await _enter(two, ticket, _code(browser, secret, -1))).status == 401
    browser.world.clock.move(30)
    assert (await _enter(two, ticket, _code(browser, secret))).status == 303


async def test_a_recovery_code_works_once(browser: Browser) -> None:
    """In the place of the telephone, typed as people type. Its kind stands in the audit log, none of it does."""
    await _user(browser)
    secret, codes = await _set_up(browser)
    one, two = Browser(browser.world, browser.app), Browser(browser.world, browser.app)
    assert (await _enter(one, await _password(one), f" {codes[3].upper().replace('-', ' ')} ")).status == 303
    assert (await _enter(two, await _password(two), codes[3])).status == 401
    assert "9 recovery codes are left" in text_of(await one.get(ACCOUNT))
    audit = [each for each in await browser.world.audit() if each.resource.startswith("second_factor:")]
    assert [each.action for each in audit] == ["begin", "create", "use"]
    whole = "".join(each.body + (each.origin.request_body if each.origin else "") for each in audit)
    assert not any(each in whole for each in (secret, *codes, PASSWORD))


async def test_who_guesses_is_held_up(browser: Browser) -> None:
    """After ten wrong codes, right ones are not taken either, for a quarter of an hour."""
    await _user(browser)
    secret, _ = await _set_up(browser)
    thief = Browser(browser.world, browser.app)
    ticket = await _password(thief)
    wrong = "000000" if _code(browser, secret) != "000000" else "111111"
    assert [(await _enter(thief, ticket, wrong)).status for _ in range(10)] == [401] * 10
    assert (await _enter(thief, ticket, _code(browser, secret))).status == 429
    browser.world.clock.move(901)
    assert (await _enter(thief, await _password(thief), _code(browser, secret))).status == 303


async def test_a_ticket_is_over_soon_and_with_the_password(browser: Browser) -> None:
    """After five minutes, after a change of the password, and where it was made up."""
    await _user(browser)
    secret, _ = await _set_up(browser)
    other = Browser(browser.world, browser.app)
    ticket = await _password(other)
    for made_up in ("", "x", "é", ticket[:-8] + "AAAAAAA=", ticket[4:]):
        assert (await _enter(other, made_up, _code(browser, secret))).status == 401
    browser.world.clock.move(301)
    assert (await _enter(other, ticket, _code(browser, secret))).status == 401
    ticket = await _password(other)
    changed = {"before": PASSWORD, "after": "another password"}
    await browser.post("/console/account/password", changed, ACCOUNT)
    assert (await _enter(other, ticket, _code(browser, secret))).status == 401


async def test_nothing_is_in_force_before_a_code_is_confirmed(browser: Browser) -> None:
    """A wrong password begins nothing; a wrong code leaves the secret on the page, and the password alone good."""
    await _user(browser)
    assert (await browser.post(SET_UP, {"password": "not this one"}, ACCOUNT)).status == 400
    secret = _secret(await browser.post(SET_UP, {"password": PASSWORD}, ACCOUNT))
    wrong = "000000" if _code(browser, secret) != "000000" else "111111"
    reply = await browser.post(f"{SET_UP}/confirm", {"code": wrong}, ACCOUNT)
    assert reply.status == 400
    assert _secret(reply) == secret
    other = Browser(browser.world, browser.app)
    assert (await other.sign_in(email=EMAIL, password=PASSWORD)).status == 200
    reply = await browser.post(f"{SET_UP}/confirm", {"code": _code(browser, secret)}, ACCOUNT)
    assert reply.status == 200
    assert (await other.send("GET", "/console")).status == 303, "his other sessions end"
    assert (await browser.send("GET", "/console")).status == 200
    assert (await browser.post(SET_UP, {"password": PASSWORD}, ACCOUNT)).status == 409


async def test_it_is_taken_off_with_password_and_code(browser: Browser) -> None:
    """Not with one of them."""
    await _user(browser)
    secret, codes = await _set_up(browser)
    path = f"{SET_UP}/remove"
    assert (await browser.post(path, {"password": "wrong", "code": codes[0]}, ACCOUNT)).status == 400
    assert (await browser.post(path, {"password": PASSWORD, "code": "123"}, ACCOUNT)).status == 401
    assert (await browser.post(path, {"password": PASSWORD, "code": _code(browser, secret)}, ACCOUNT)).status == 200
    assert (await Browser(browser.world, browser.app).sign_in(email=EMAIL, password=PASSWORD)).status == 200


async def test_an_administrator_takes_it_off_for_who_has_lost_his_telephone(browser: Browser) -> None:
    """His sessions end, and his password alone lets him in. An admin does that to no owner."""
    await _user(browser)
    await _set_up(browser)
    admin = Browser(browser.world, browser.app)
    await admin.sign_in(key=browser.world.admin_key)
    users = await browser.world.ok("GET", "/v1/admin/users")
    page = f"/console/people/{users['data'][0]['id']}"
    assert "Remove the second factor" in text_of(await admin.get(page))
    assert (await admin.post(f"{page}/second-factor", {}, page)).status == 200
    assert (await browser.send("GET", "/console")).status == 303
    assert (await browser.sign_in(email=EMAIL, password=PASSWORD)).status == 200
    assert "Remove the second factor" not in text_of(await admin.get(page))
    owner = Browser(browser.world, browser.app)
    await _user(owner, "boss@example.com", "owner")
    await _set_up(owner)
    users = await browser.world.ok("GET", "/v1/admin/users?email=boss@example.com")
    page = f"/console/people/{users['data'][0]['id']}"
    assert (await browser.post(f"{page}/second-factor", {}, page)).status == 403
    assert (await owner.send("GET", "/console")).status == 200


async def test_the_secret_is_sealed_and_goes_with_its_user(browser: Browser) -> None:
    """The database has neither secret nor codes; a rotation of the master key takes it along; removed with the user."""
    await _user(browser)
    secret, codes = await _set_up(browser)
    rows = await browser.world.database.read(lambda c: c.execute(second_factor.select()).mappings().all())
    raw = base64.b32decode(secret)
    assert raw not in rows[0]["sealed_secret"]
    assert not any(each.replace("-", "") in str(rows) for each in codes)
    old, new = browser.world.master_key, MasterKey.generate()
    assert old is not None
    await browser.world.transactions.write(lambda s: reseal(s, Vault([new, old]), browser.world.clock))
    [factor] = await browser.world.transactions.read(
        lambda s: s.second_factors.of_organization(browser.world.root.organization_id)
    )
    assert Vault([new]).open(factor.sealed_secret, factor.organization_id, factor.secret_row) == raw
    await browser.world.ok("DELETE", f"/v1/admin/users/{factor.user_id}")
    assert not await browser.world.database.read(lambda c: c.execute(second_factor.select()).all())
    assert not await browser.world.database.read(lambda c: c.execute(user_password.select()).all())


async def test_who_signs_in_with_a_key_has_none(admin: Browser) -> None:
    """There is no password that it could stand beside."""
    assert "Second factor" not in text_of(await admin.get(ACCOUNT))
    assert (await admin.post(SET_UP, {"password": PASSWORD}, ACCOUNT)).status == 400
