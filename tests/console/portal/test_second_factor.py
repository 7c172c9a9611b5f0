"""A second factor in the portal: set up there, and asked for at its own door."""

import base64
import re

from headgate.tenancy.second_factor import code_at
from tests.console.conftest import text_of
from tests.console.portal.conftest import Guest, Place

EMAIL, PASSWORD = "ada@example.com", "a password of hers"


def _code(place: Place, secret: str, off: int = 0) -> str:
    step = place.headgate.gateway.services.clock.now() // 30_000_000_000 + off
    return code_at(base64.b32decode(secret), step)


async def _with_password(guest: Guest) -> str:
    """What the page says, and the ticket in it."""
    reply = await guest.send("POST", "/portal/sign-in", {"email": EMAIL, "password": PASSWORD})
    assert "set-cookie" not in reply.headers
    found = re.search(r'name="ticket" value="([^"]+)"', reply.body.decode())
    assert found is not None, text_of(reply)
    return found[1]


async def test_a_customer_is_asked_for_a_code(place: Place) -> None:
    """Who set it up in the portal does not come in with the password alone, nor at the console's door around it."""
    fields = {"email": EMAIL, "role": "member", "tenants": [{"id": "acme", "role": "manager"}]}
    invite = await place.admin("POST", "/admin/users/invites", fields)
    token = invite["invite_link"].partition("#token=")[2]
    accepted = {"token": token, "first_name": "Ada", "password": PASSWORD}
    await place.admin("POST", "/admin/users/invites/accept", accepted)
    guest, account = place.guest(), "/portal/account"
    await guest.send("POST", "/portal/sign-in", {"email": EMAIL, "password": PASSWORD})
    assert "Set it up" in text_of(await guest.get(account))
    shown = await guest.post(f"{account}/second-factor", {"password": PASSWORD}, account)
    found = re.search(r'class="secret"><code>([A-Z2-7]{32})</code>', shown.body.decode())
    assert found is not None, text_of(shown)
    wrong = await guest.post(f"{account}/second-factor/confirm", {"code": "12345"}, account)
    assert wrong.status == 400
    reply = await guest.post(f"{account}/second-factor/confirm", {"code": _code(place, found[1], -1)}, account)
    [first, second, *_] = re.findall(r"<li><code>([0-9a-z-]{19})</code>", reply.body.decode())
    assert (await guest.send("GET", "/portal")).status == 200
    other = place.guest()
    ticket = await _with_password(other)
    refused = await other.send("POST", "/portal/sign-in/code", {"ticket": ticket, "code": "12345"})
    assert (refused.status, (await other.send("GET", "/portal")).status) == (401, 303)
    entered = await other.send("POST", "/portal/sign-in/code", {"ticket": ticket, "code": _code(place, found[1])})
    assert (entered.status, entered.headers["location"]) == (303, "/portal")
    assert (await other.send("GET", "/portal")).status == 200
    at_console = await place.guest().send("POST", "/console/sign-in/code", {"ticket": ticket, "code": first})
    assert at_console.status == 403, "she has no place in a workspace"
    await other.post(f"{account}/second-factor/remove", {"password": PASSWORD, "code": "12345"}, account)
    gone = await other.post(f"{account}/second-factor/remove", {"password": PASSWORD, "code": second}, account)
    assert gone.status == 200
    free = await place.guest().send("POST", "/portal/sign-in", {"email": EMAIL, "password": PASSWORD})
    assert (free.status, free.headers["location"]) == (303, "/portal")


async def test_where_one_is_required_it_is_set_up_at_the_door(place: Place) -> None:
    """After the password and before anything else, as at the console."""
    fields = {"email": EMAIL, "role": "member", "tenants": [{"id": "acme", "role": "manager"}]}
    invite = await place.admin("POST", "/admin/users/invites", fields)
    accepted = {"token": invite["invite_link"].partition("#token=")[2], "first_name": "Ada", "password": PASSWORD}
    await place.admin("POST", "/admin/users/invites/accept", accepted)
    await place.admin("PUT", "/admin/organisation", {"require_second_factor": True})
    guest = place.guest()
    reply = await guest.send("POST", "/portal/sign-in", {"email": EMAIL, "password": PASSWORD})
    secret = re.search(r'class="secret"><code>([A-Z2-7]{32})</code>', reply.body.decode())
    ticket = re.search(r'name="ticket" value="([^"]+)"', reply.body.decode())
    assert secret is not None, text_of(reply)
    assert ticket is not None
    assert (await guest.send("GET", "/portal")).status == 303
    confirmed = {"ticket": ticket[1], "code": _code(place, secret[1])}
    assert b"recovery codes" in (await guest.send("POST", "/portal/sign-in/enrol", confirmed)).body
    assert (await guest.send("GET", "/portal")).status == 200


async def test_who_came_with_a_link_or_a_key_has_none(place: Place) -> None:
    """There is no password that it could stand beside."""
    for guest in (await place.visiting(), place.guest()):
        if not guest.cookies:
            await guest.with_key(place.acme.key)
        assert "Second factor" not in text_of(await guest.get("/portal/account"))
        reply = await guest.post("/portal/account/second-factor", {"password": PASSWORD}, "/portal/account")
        assert reply.status == 400
