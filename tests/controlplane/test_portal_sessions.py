"""Links into the portal: who makes them, how long they are good, and what becomes of a session."""

import json
from typing import Any

import pytest

from headgate.base.errors import Forbidden, HeadgateError, Unauthenticated
from headgate.storage.portal_tables import portal_session
from headgate.tenancy.origin import Origin
from headgate.tenancy.portal_session import Entry
from tests.support.administration import World, customer_key
from tests.support.people import invited

SESSIONS = "/v1/admin/tenants/acme/portal-sessions"
ORIGIN = Origin("req", "GET", "/portal/enter", "", json.dumps({"user-agent": "Test/1"}), "null", "127.0.0.1")
PASSWORD = "a password of ours"


@pytest.fixture
async def acme(world: World) -> str:
    """A tenant: its id."""
    await world.ok("POST", "/v1/admin/workspaces", {"name": "pro", "slug": "pro"})
    await world.ok("POST", "/v1/admin/tenants", {"tenant_id": "other", "workspace_id": "pro"})
    made = await world.ok("POST", "/v1/admin/tenants", {"tenant_id": "acme", "workspace_id": "pro"})
    return str(made["id"])


async def _link(world: World, **fields: Any) -> str:
    """The token of a new link."""
    url: str = (await world.ok("POST", SESSIONS, fields))["url"]
    assert url.startswith("http://test/portal/enter?token=")
    return url.partition("token=")[2]


async def _enter(world: World, token: str) -> str:
    return (await world.services.portal_sessions.enter_with_link(token, ORIGIN))[1]


async def _refused(world: World, token: str) -> str:
    with pytest.raises(Unauthenticated) as refused:
        await _enter(world, token)
    return refused.value.message


async def test_a_link_works_once_and_for_minutes(world: World, acme: str) -> None:
    """Used, expired, revoked and made up answer in the same words. What is kept of it opens nothing."""
    token = await _link(world)
    await _enter(world, token)
    words = {await _refused(world, token), await _refused(world, "0" * 40), await _refused(world, "")}
    late = await _link(world, expires_in=60)
    world.clock.move(61)
    words.add(await _refused(world, late))
    revoked = await _link(world)
    [pending] = [each for each in (await world.ok("GET", SESSIONS))["data"] if each["status"] == "pending"]
    await world.ok("DELETE", f"{SESSIONS}/{pending['id']}")
    words.add(await _refused(world, revoked))
    assert len(words) == 1
    rows = await world.database.read(lambda c: c.execute(portal_session.select()).mappings().all())
    assert token.encode() not in b"".join((row["link_hash"] or b"") + (row["token_hash"] or b"") for row in rows)


async def test_a_link_is_good_until_its_last_second(world: World, acme: str) -> None:
    """Five minutes where nobody says otherwise."""
    told = await world.ok("POST", SESSIONS)
    assert (told["role"], told["status"], told["entry"]) == ("manager", "pending", "link")
    world.clock.move(299)
    await _enter(world, told["url"].partition("token=")[2])


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"expires_in": 29}, "expires_in"),
        ({"expires_in": 3_601}, "expires_in"),
        ({"role": "admin"}, "role"),
        ({"name": ""}, None),
        ({"name": "a\nb"}, "name"),
        ({"return_url": "javascript:alert(1)"}, "return_url"),
        ({"return_url": "https://me@evil.test"}, "return_url"),
        ({"return_url": "//evil.test"}, "return_url"),
    ],
)
async def test_what_is_wrong_with_a_link_is_named(
    world: World, acme: str, fields: dict[str, Any], param: str | None
) -> None:
    """And no link is made. Without a name it has the tenant's."""
    reply = await world.call("POST", SESSIONS, fields)
    if param is None:
        assert (reply.status, reply.json["name"]) == (200, "acme")
        return
    assert (reply.status, reply.json["error"]["param"]) == (400, param)
    assert (await world.ok("GET", SESSIONS))["total"] == 0


async def test_a_session_is_listed_audited_and_revoked(world: World, acme: str) -> None:
    """From then on its cookie opens nothing. The link's token is in no entry of the audit log."""
    token = await _link(world, name="ada@example.com", return_url="https://app.example.com/billing")
    cookie = await _enter(world, token)
    visitor = await world.services.portal_sessions.visitor(cookie)
    assert (visitor.tenant.id, visitor.session.name) == (acme, "ada@example.com")
    [listed] = (await world.ok("GET", SESSIONS))["data"]
    assert (listed["status"], listed["client_ip"], listed["user_agent"]) == ("open", "127.0.0.1", "Test/1")
    assert (await world.ok("GET", SESSIONS.replace("acme", "other")))["total"] == 0
    assert (await world.call("DELETE", f"{SESSIONS.replace('acme', 'other')}/{listed['id']}")).status == 404
    await world.services.portal_sessions.visitor(cookie)
    await world.ok("DELETE", f"{SESSIONS}/{listed['id']}")
    with pytest.raises(Unauthenticated):
        await world.services.portal_sessions.visitor(cookie)
    entries = [each for each in await world.audit() if each.resource == f"portal_session:{listed['id']}"]
    assert [each.action for each in entries] == ["create", "open", "delete"]
    kept = "".join(each.body + (each.origin.request_body if each.origin else "") for each in await world.audit())
    assert token not in kept
    assert cookie not in kept


async def test_a_session_runs_out(world: World, acme: str) -> None:
    """Left alone for an hour, or after a day whatever is done: the settings of this world."""
    sessions = world.services.portal_sessions
    cookie = await _enter(world, await _link(world))
    for _ in range(28):
        world.clock.move(3_000)
        await sessions.visitor(cookie)
    world.clock.move(3_000)
    with pytest.raises(Unauthenticated):
        await sessions.visitor(cookie)
    idle = await _enter(world, await _link(world))
    world.clock.move(3_601)
    with pytest.raises(Unauthenticated):
        await sessions.visitor(idle)


async def test_a_session_ends_with_the_key_that_opened_it(world: World, acme: str) -> None:
    """Revoked, or with another secret at once because somebody stole it."""
    sessions = world.services.portal_sessions
    for end in ("revoke", "rotate"):
        key_id, key = await customer_key(world, "pro", name=end, tenant_id="acme")
        cookie = (await sessions.enter_with_key(key, ORIGIN))[1]
        assert (await sessions.visitor(cookie)).session.entry is Entry.KEY
        if end == "revoke":
            await world.ok("DELETE", f"/v1/api-keys/{key_id}")
        else:
            await world.ok("POST", f"/v1/api-keys/{key_id}/rotate", {"key_transition_period_ms": 0})
        with pytest.raises(Unauthenticated):
            await sessions.visitor(cookie)


async def test_only_a_customer_s_key_opens_the_portal(world: World, acme: str) -> None:
    """Neither an admin key nor a workspace's; and a few wrong ones close the door for a while."""
    sessions = world.services.portal_sessions
    _, key = await customer_key(world, "pro")
    for wrong in (world.admin_key, key):
        with pytest.raises(Forbidden):
            await sessions.enter_with_key(wrong, ORIGIN)
    _, right = await customer_key(world, "pro", name="acme", tenant_id="acme")
    guess = right[:-1] + ("0" if right[-1] != "0" else "1")
    with pytest.raises(Unauthenticated):
        await sessions.enter_with_key(guess, ORIGIN)


async def _customer(world: World, *tenants: tuple[str, str]) -> str:
    """A user of these tenants: his id."""
    places = [{"id": slug, "role": role} for slug, role in tenants]
    _, token = await invited(world, "ada@example.com", tenants=places)
    body = {"token": token, "first_name": "Ada", "password": PASSWORD}
    return str((await world.ok("POST", "/v1/admin/users/invites/accept", body, key=""))["id"])


async def test_a_user_of_tenants_signs_in_with_his_password(world: World, acme: str) -> None:
    """As what he is in each, and only there; he changes over, and nowhere else. The console has no page for him."""
    sessions = world.services.portal_sessions
    await _customer(world, ("acme", "manager"), ("other", "member"))
    await world.ok("POST", "/v1/admin/tenants", {"tenant_id": "third", "workspace_id": "pro"})
    await world.ok("PUT", "/v1/admin/workspaces/pro", {"portal": {"keys": "manage"}})
    cookie = (await sessions.enter_with_password("Ada@Example.com", PASSWORD, ORIGIN, acme))[1]
    visitor = await sessions.visitor(cookie)
    assert (visitor.tenant.slug, visitor.manages_keys) == ("acme", True)
    places = {each.slug: each.id for each in await sessions.places(visitor)}
    assert set(places) == {"acme", "other"}
    await sessions.choose(visitor, places["other"])
    visitor = await sessions.visitor(cookie)
    assert (visitor.tenant.slug, visitor.manages_keys, visitor.reads_keys) == ("other", False, True)
    third = await world.ok("GET", "/v1/admin/tenants/third")
    with pytest.raises(HeadgateError):
        await sessions.choose(visitor, third["id"])
    with pytest.raises(Forbidden):
        await world.services.sessions.sign_in_with_password("ada@example.com", PASSWORD, ORIGIN)


async def test_who_is_taken_out_of_a_tenant_is_out(world: World, acme: str) -> None:
    """With his session; and so is a user who is removed altogether."""
    sessions = world.services.portal_sessions
    user = await _customer(world, ("acme", "member"))
    users = (await world.ok("GET", "/v1/admin/tenants/acme/users"))["data"]
    assert [(each["id"], each["role"]) for each in users] == [(user, "member")]
    for path in (f"/v1/admin/tenants/acme/users/{user}", f"/v1/admin/users/{user}"):
        if (await world.ok("GET", "/v1/admin/tenants/acme/users"))["total"] == 0:
            await world.ok("POST", "/v1/admin/tenants/acme/users", {"users": [{"id": user}]})
        cookie = (await sessions.enter_with_password("ada@example.com", PASSWORD, ORIGIN))[1]
        await sessions.visitor(cookie)
        await world.ok("DELETE", path)
        with pytest.raises(Unauthenticated):
            await sessions.visitor(cookie)
    assert (await world.ok("GET", "/v1/admin/tenants/acme/users"))["total"] == 0


async def test_a_user_belongs_to_a_tenant_once(world: World, acme: str) -> None:
    """All that are named, or none."""
    user = await _customer(world, ("acme", "member"))
    both = {"users": [{"id": user}]}
    assert (await world.call("POST", "/v1/admin/tenants/acme/users", both)).status == 409
    wrong = {"users": [{"id": user}, {"id": "usr_none"}]}
    assert (await world.call("POST", "/v1/admin/tenants/other/users", wrong)).status == 404
    assert (await world.ok("GET", "/v1/admin/tenants/other/users"))["total"] == 0
    assert (await world.call("POST", "/v1/admin/tenants/other/users", {"users": []})).status == 400


async def test_a_tenant_goes_with_its_people(world: World, acme: str) -> None:
    """Its users stay users, and nobody is inside any more."""
    await _customer(world, ("acme", "member"))
    cookie = await _enter(world, await _link(world))
    await world.ok("DELETE", "/v1/admin/tenants/acme")
    with pytest.raises(Unauthenticated):
        await world.services.portal_sessions.visitor(cookie)
    assert (await world.ok("GET", "/v1/admin/users"))["total"] == 1
