"""Nobody sees anything of another customer, whichever way he came in and whatever he asks for."""

import re
from collections.abc import Awaitable, Callable

import pytest

from headgate.console.portal.app import PAGES
from headgate.console.portal.visit import HOME
from tests.console.conftest import Fields, text_of
from tests.console.portal.conftest import ADMIN, HELLO, Guest, Place, Tenant

PASSWORD = "a password of ours"


async def by_link(place: Place) -> Guest:
    return await place.visiting()


async def by_key(place: Place) -> Guest:
    guest = place.guest()
    assert (await guest.with_key(place.acme.key)).status == 200
    return guest


async def by_password(place: Place) -> Guest:
    """Invited to this tenant, as its manager."""
    body = {"email": "ada@example.com", "role": "member", "tenants": [{"id": "acme", "role": "manager"}]}
    made = await place.admin("POST", "/admin/users/invites", body)
    token = made["invite_link"].partition("#token=")[2]
    accepted = {"token": token, "first_name": "Ada", "password": PASSWORD}
    await place.admin("POST", "/admin/users/invites/accept", accepted)
    guest = place.guest()
    reply = await guest.send("POST", "/portal/sign-in", {"email": "ada@example.com", "password": PASSWORD})
    assert reply.status == 303
    return guest


async def by_view(place: Place) -> Guest:
    """An operator, from his console."""
    guest = place.guest()
    await guest.sign_in(key=ADMIN)
    reply = await guest.post("/console/tenants/acme/view", page="/console/tenants/acme")
    assert reply.status == 200, text_of(reply)
    return guest


Way = Callable[[Place], Awaitable[Guest]]
WAYS = (by_link, by_key, by_password, by_view)
OTHERS = re.compile(rb"of other|other-secret")


def _paths(tenant: Tenant, request_id: str) -> list[str]:
    values = {"key": tenant.key_id, "request": request_id}
    return [HOME + path.format(**values) for method, path, _, _ in PAGES if method == "GET"]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_no_page_holds_anything_of_another_customer(place: Place, way: Way) -> None:
    """Not his name, his ids, his keys, or what he asked; with addresses of one's own objects, and with filters."""
    foreign = await place.call(place.other.key, model="@openai/sim-slow", user="other-secret")
    own = await place.call(place.acme.key)
    guest = await way(place)
    asked = f"tenant_id=other&api_key_ids={place.other.key_id}&request_id={foreign}&user=other-secret"
    filtered = [f"/portal/requests?{asked}", f"/portal?{asked}", f"/portal/keys?tenant={place.other.id}"]
    for path in [*_paths(place.acme, own), *filtered]:
        reply = await guest.get(path)
        assert reply.status in (200, 403), (path, text_of(reply))
        told = reply.body
        if path.startswith("/portal/requests?"):  # what was typed stands in the form again
            told = re.sub(rb"<input name[^>]*>", b"", told)
        for secret in (place.other.id, place.other.key_id, foreign):
            assert secret.encode() not in told, (path, secret)
        assert OTHERS.search(told) is None, path


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_what_belongs_to_another_customer_is_as_if_it_were_not_there(place: Place, way: Way) -> None:
    """Its pages answer as those of an object that does not exist, and its forms change nothing."""
    foreign = await place.call(place.other.key, model="@openai/sim-slow")
    guest = await way(place)
    before = await place.admin("GET", f"/api-keys/{place.other.key_id}")
    for path, absent in (
        (f"/portal/keys/{place.other.key_id}", "/portal/keys/0000000000000000"),
        (f"/portal/requests/{foreign}", f"/portal/requests/req_{0:032x}"),
    ):
        one, none = await guest.get(path), await guest.get(absent)
        assert one.status == none.status
        assert one.status in (403, 404)
        assert text_of(one).replace(path.rpartition("/")[2], "") == text_of(none).replace(absent.rpartition("/")[2], "")
    forms: tuple[tuple[str, Fields], ...] = (
        (f"/portal/keys/{place.other.key_id}/rotate", {"transition": "0"}),
        (f"/portal/keys/{place.other.key_id}/revoke", {}),
        ("/portal/account/tenant", {"tenant": place.other.id}),
        ("/portal/account/tenant", {"tenant": "other"}),
    )
    for path, fields in forms:
        assert (await guest.post(path, fields, page="/portal/account")).status in (403, 404), path
    assert await place.admin("GET", f"/api-keys/{place.other.key_id}") == before
    assert "Name of acme" in text_of(await guest.get("/portal"))


async def test_a_key_without_the_scope_sees_its_own_calls_only(place: Place) -> None:
    """Its colleague's calls are as if they were not there, in figures, in the list, and one by one."""
    body = {"name": "seat", "tenant_id": "acme", "scopes": ["completions.write"]}
    seat = await place.admin("POST", "/api-keys/workspace/service", body)
    colleagues, own = await place.call(place.acme.key), await place.call(seat["key"])
    guest = place.guest()
    seen = text_of(await guest.with_key(seat["key"]))
    assert "You see the calls of your own key" in seen
    assert "Requests 1 " in seen
    listed = (await guest.get("/portal/requests")).body.decode()
    assert own in listed
    assert colleagues not in listed
    assert (await guest.get(f"/portal/requests/{own}")).status == 200
    assert (await guest.get(f"/portal/requests/{colleagues}")).status == 404
    asked = await guest.get(f"/portal/requests?api_key_ids={place.acme.key_id}")
    assert colleagues not in asked.body.decode()


async def test_a_key_with_limits_of_its_own_makes_no_keys_without_them(place: Place) -> None:
    """Nor does it take those of others in hand."""
    body = {"name": "seat", "tenant_id": "acme", "scopes": ["completions.write"], "usage_limits": {"credit_limit": 1}}
    seat = await place.admin("POST", "/api-keys/workspace/service", body)
    guest = place.guest()
    await guest.with_key(seat["key"])
    assert "Of your key alone." in text_of(await guest.get("/portal"))
    made = await guest.post("/portal/keys/new", {"name": "free", "scopes": "completions.write"}, page="/portal/account")
    assert made.status == 403
    rotated = await guest.post(f"/portal/keys/{place.acme.key_id}/rotate", page="/portal/account")
    assert rotated.status == 403
    assert "free" not in text_of(await guest.get("/portal/keys"))


async def test_console_and_portal_are_two_houses(place: Place) -> None:
    """A visitor of the portal has no page of the console, and who signed in to the console no portal of a tenant; the
    one's key opens the other's door neither."""
    visitor = await place.visiting()
    for path in ("/console", "/console/tenants", "/console/tenants/acme", "/console/audit"):
        assert (await visitor.send("GET", path)).headers["location"].startswith("/console/sign-in")
    operator = place.guest()
    await operator.sign_in(key=ADMIN)
    for path in ("/portal", "/portal/keys", "/portal/requests"):
        assert (await operator.send("GET", path)).headers["location"].startswith("/portal/sign-in")
    assert (await place.guest().with_key(ADMIN)).status == 403
    assert (await place.guest().sign_in(key=place.acme.key)).status == 403
    swapped = place.guest()
    swapped.cookies = {
        "headgate_session": visitor.cookies["headgate_portal"],
        "headgate_portal": operator.cookies["headgate_session"],
    }
    assert (await swapped.send("GET", "/console")).status == 303
    assert (await swapped.send("GET", "/portal")).status == 303
    async with place.headgate.call(
        "POST", "/v1/chat/completions", HELLO, key=visitor.cookies["headgate_portal"]
    ) as answer:
        assert answer.status == 401


async def test_a_suspended_customer_is_outside(place: Place) -> None:
    """Those who are inside are told so, and nobody comes in; an operator still looks."""
    guest, link = await place.visiting(), await place.link()
    await place.admin("PUT", "/admin/tenants/acme", {"status": "suspended"})
    for reply in (
        await guest.get("/portal"),
        await place.guest().with_key(place.acme.key),
        await place.guest().enter(link),
    ):
        assert reply.status == 403
        assert "suspended" in text_of(reply)
    assert "Requests 1 " in text_of(await (await by_view(place)).get("/portal"))
    await place.admin("PUT", "/admin/tenants/acme", {"status": "active"})
    assert (await guest.get("/portal")).status == 200
