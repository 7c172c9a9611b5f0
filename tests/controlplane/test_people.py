"""Users, invites, members and roles through the API."""

from typing import Any

import pytest

from headgate.base.errors import Forbidden, Unauthenticated
from headgate.tenancy.invites import VALID_S
from headgate.tenancy.principal import Principal
from headgate.tenancy.roles import WORKSPACE_ROLES, OrganizationRole, WorkspaceRole
from headgate.tenancy.scopes import ORGANIZATION_SCOPES
from headgate.tenancy.user import Member, User
from tests.support.administration import World, customer_key
from tests.support.people import invited, joined, token_of

INVITES = "/v1/admin/users/invites"
ACCEPT = f"{INVITES}/accept"


async def _user_key(world: World, user_id: str, scopes: list[str], workspace: str | None = "default") -> Any:
    level = "organisation" if workspace is None else "workspace"
    body: dict[str, Any] = {"name": "k", "user_id": user_id, "scopes": scopes}
    if workspace is not None:
        body["workspace_id"] = workspace
    return await world.call("POST", f"/v1/api-keys/{level}/user", body)


async def test_an_invite_that_is_accepted_makes_a_user_with_his_places_and_keys(world: World) -> None:
    """In the shapes of the contract; the key works and is bound to him."""
    more = {
        "workspaces": [{"id": "default", "role": "manager"}],
        "workspace_api_key_details": {"scopes": ["completions.write", "logs.view"]},
    }
    made = await world.ok("POST", INVITES, {"email": "Ann@Example.com", "role": "member", **more})
    assert made["invite_link"].startswith("http://test/console/invite#token=")
    shown = await world.ok("GET", f"{INVITES}/{made['id']}")
    assert (shown["email"], shown["status"], shown["object"]) == (
        "ann@example.com",
        "pending",
        "organisation-user-invite",
    )
    body = {"token": token_of(made["invite_link"]), "first_name": "Ann", "last_name": "Other"}
    user = await world.ok("POST", ACCEPT, body, key="")
    (key,) = user["api_keys"]
    assert (user["role"], user["workspace_ids"]) == ("member", [key["workspace_id"]])
    policy = await world.directory.authenticate(key["key"])
    assert (policy.user_id, set(policy.scopes)) == (user["id"], {"completions.write", "logs.view"})
    (listed,) = (await world.ok("GET", "/v1/admin/users"))["data"]
    assert {**user, "api_keys": None} == {**listed, "api_keys": None}
    (member,) = (await world.ok("GET", "/v1/admin/workspaces/default/users"))["data"]
    assert (member["id"], member["role"], member["org_role"], member["object"]) == (
        user["id"],
        "manager",
        "member",
        "workspace-user",
    )
    assert (await world.ok("GET", f"{INVITES}/{made['id']}"))["status"] == "accepted"


async def test_a_link_works_once(world: World) -> None:
    """Used, cancelled, expired, replaced by a resend or made up: the same 404, which says nothing about why."""
    _, used = await invited(world, "used@example.com")
    await world.ok("POST", ACCEPT, {"token": used, "first_name": "A"}, key="")
    cancelled_id, cancelled = await invited(world, "cancelled@example.com")
    await world.ok("DELETE", f"{INVITES}/{cancelled_id}")
    resent_id, replaced = await invited(world, "resent@example.com")
    fresh = token_of((await world.ok("POST", f"{INVITES}/{resent_id}/resend"))["invite_link"])
    expired_id, expired = await invited(world, "expired@example.com")
    dead = (used, cancelled, replaced, "0" * 40)
    answers = [await world.call("POST", ACCEPT, {"token": token, "first_name": "A"}, key="") for token in dead]
    await world.ok("POST", ACCEPT, {"token": fresh, "first_name": "A"}, key="")
    world.clock.move(VALID_S)
    answers.append(await world.call("POST", ACCEPT, {"token": expired, "first_name": "A"}, key=""))
    assert {answer.status for answer in answers} == {404}
    assert len({answer.body for answer in answers}) == 1
    assert (await world.ok("GET", f"{INVITES}/{expired_id}"))["status"] == "expired"
    renewed = token_of((await world.ok("POST", f"{INVITES}/{expired_id}/resend"))["invite_link"])
    await world.ok("POST", ACCEPT, {"token": renewed, "first_name": "A"}, key="")


async def test_a_token_is_nowhere(world: World) -> None:
    """Neither in the table nor in the audit log."""
    invite_id, token = await invited(world, "ann@example.com")
    stored = await world.transactions.read(lambda stores: stores.invites.get(world.root.organization_id, invite_id))
    assert stored is not None
    assert token.encode() not in stored.token_hash
    await world.ok("POST", ACCEPT, {"token": token, "first_name": "A"}, key="")
    assert not any(token in str(entry) for entry in await world.audit())


async def test_invites_are_found_by_role_address_and_status(world: World) -> None:
    """And by all of them together."""
    await invited(world, "a@example.com")
    await invited(world, "b@example.com", "admin")
    cancelled, _ = await invited(world, "c@example.com")
    await world.ok("DELETE", f"{INVITES}/{cancelled}")
    for query, found in (
        ("", "abc"),
        ("?role=member", "ac"),
        ("?role=member&status=pending", "a"),
        ("?status=cancelled", "c"),
        ("?email=B@example.com", "b"),
        ("?status=expired", ""),
        ("?currentPage=1&pageSize=2", "c"),
    ):
        listed = await world.ok("GET", INVITES + query)
        assert "".join(each["email"][0] for each in listed["data"]) == found, query
    assert (await world.call("GET", f"{INVITES}?status=lost")).status == 400


@pytest.mark.parametrize(
    ("fields", "status", "param"),
    [
        ({"email": "no address"}, 400, "email"),
        ({"role": "king"}, 400, "role"),
        ({"workspaces": [{"id": "default", "role": "king"}]}, 400, "workspaces[0].role"),
        ({"workspaces": [{"id": "absent", "role": "member"}]}, 404, None),
        ({"workspaces": [{"id": "default", "role": "member"}] * 2}, 400, "workspaces"),
        ({"workspace_api_key_details": {"scopes": ["logs.view"]}}, 400, "workspace_api_key_details"),
        (
            {
                "workspaces": [{"id": "default", "role": "member"}],
                "workspace_api_key_details": {"scopes": ["configs.create"]},
            },
            400,
            "workspace_api_key_details.scopes",
        ),
        ({"email": "known@example.com"}, 409, "email"),
        ({"email": "Invited@example.com"}, 409, "email"),
    ],
)
async def test_a_bad_invite_names_the_field(
    world: World, fields: dict[str, Any], status: int, param: str | None
) -> None:
    """And makes nothing."""
    await joined(world, "known@example.com")
    await invited(world, "invited@example.com")
    reply = await world.call("POST", INVITES, {"email": "ann@example.com", "role": "member", **fields})
    assert (reply.status, reply.json["error"]["param"]) == (status, param), reply.body
    assert (await world.ok("GET", INVITES))["total"] == 2


async def test_the_last_owner_stays(world: World) -> None:
    """He is neither demoted nor removed, whoever asks; with a second one he can go."""
    first = await joined(world, "first@example.com", "owner")
    key = (await _user_key(world, first.id, sorted(ORGANIZATION_SCOPES), None)).json["key"]
    path = f"/v1/admin/users/{first.id}"
    assert (await world.call("PUT", path, {"role": "admin"}, key=key)).status == 409
    assert (await world.call("DELETE", path, key=key)).status == 409
    second = await joined(world, "second@example.com")
    await world.ok("PUT", f"/v1/admin/users/{second.id}", {"role": "owner"}, key=key)
    await world.ok("PUT", path, {"role": "admin"}, key=key)
    assert (await world.ok("GET", path))["role"] == "admin"


async def test_only_an_owner_makes_and_unmakes_owners(world: World) -> None:
    """Not an admin, not a service key that an admin could mint, whatever its scopes; only while there is no owner."""
    owner = await joined(world, "owner@example.com", "owner")
    admin = await joined(world, "admin@example.com", "admin")
    other = await joined(world, "other@example.com")
    everything = sorted(ORGANIZATION_SCOPES)
    admin_key = (await _user_key(world, admin.id, everything, None)).json["key"]
    body = {"name": "s", "scopes": everything, "user_id": owner.id}
    service_key = (await world.ok("POST", "/v1/api-keys/organisation/service", body, key=admin_key))["key"]
    for key in (admin_key, service_key, world.admin_key):
        for method, path, change in (
            ("PUT", f"/v1/admin/users/{admin.id}", {"role": "owner"}),
            ("PUT", f"/v1/admin/users/{owner.id}", {"role": "member"}),
            ("DELETE", f"/v1/admin/users/{owner.id}", None),
            ("POST", INVITES, {"email": "x@example.com", "role": "owner"}),
        ):
            assert (await world.call(method, path, change, key=key)).status == 403, (method, path)
    await world.ok("PUT", f"/v1/admin/users/{other.id}", {"role": "admin"}, key=admin_key)


async def test_nobody_gives_a_role_with_more_rights_than_his_own(world: World) -> None:
    """Neither in the organization nor in a workspace; nor does he take one away from who has more."""
    user = await joined(world, "ann@example.com", workspaces={"default": "admin"})
    body = {"name": "people", "scopes": ["organisation_users.update", "organisation_users.create"]}
    people = (await world.ok("POST", "/v1/api-keys/organisation/service", body))["key"]
    assert (await world.call("PUT", f"/v1/admin/users/{user.id}", {"role": "admin"}, key=people)).status == 403
    invite = {"email": "x@example.com", "role": "admin"}
    assert (await world.call("POST", INVITES, invite, key=people)).status == 403
    scopes = [f"workspace_users.{verb}" for verb in ("create", "update", "delete")]
    body = {"name": "members", "workspace_id": "default", "scopes": scopes}
    members = (await world.ok("POST", "/v1/api-keys/workspace/service", body))["key"]
    other = await joined(world, "other@example.com")
    place = "/v1/admin/workspaces/default/users"
    new = {"users": [{"id": other.id, "role": "manager"}]}
    assert (await world.call("POST", place, new, key=members)).status == 403
    assert (await world.call("PUT", f"{place}/{user.id}", {"role": "member"}, key=members)).status == 403
    assert (await world.call("DELETE", f"{place}/{user.id}", key=members)).status == 403


async def test_members_come_change_and_go(world: World) -> None:
    """All that are named are added or none; who was removed is absent."""
    ann, bob = await joined(world, "ann@example.com"), await joined(world, "bob@example.com")
    place = "/v1/admin/workspaces/default/users"
    half = {"users": [{"id": ann.id, "role": "member"}, {"id": "usr_none", "role": "member"}]}
    assert (await world.call("POST", place, half)).status == 404
    assert (await world.ok("GET", place))["total"] == 0
    both = {"users": [{"id": ann.id, "role": "member"}, {"id": bob.id, "role": "admin"}]}
    assert await world.ok("POST", place, both) == {}
    assert (await world.call("POST", place, {"users": [{"id": ann.id, "role": "member"}]})).status == 409
    assert [each["id"] for each in (await world.ok("GET", f"{place}?role=admin"))["data"]] == [bob.id]
    assert [each["id"] for each in (await world.ok("GET", f"{place}?email=ann@example.com"))["data"]] == [ann.id]
    await world.ok("PUT", f"{place}/{ann.id}", {"role": "manager"})
    assert (await world.ok("GET", f"{place}/{ann.id}"))["scopes"] == sorted(WORKSPACE_ROLES[WorkspaceRole.MANAGER])
    await world.ok("DELETE", f"{place}/{ann.id}")
    assert (await world.call("GET", f"{place}/{ann.id}")).status == 404


async def test_a_new_workspace_has_the_members_it_is_given(world: World) -> None:
    """By id; shown with the workspace to those who may list them."""
    ann = await joined(world, "ann@example.com")
    made = await world.ok("POST", "/v1/admin/workspaces", {"name": "new", "users": [ann.id]})
    (member,) = (await world.ok("GET", f"/v1/admin/workspaces/{made['id']}"))["users"]
    assert (member["id"], member["role"]) == (ann.id, "member")
    _, reader = await customer_key(world, "new", scopes=["workspaces.read"])
    assert (await world.ok("GET", "/v1/admin/workspaces/new", key=reader))["users"] == []
    unknown = {"name": "other", "users": ["usr_none"]}
    assert (await world.call("POST", "/v1/admin/workspaces", unknown)).status == 404
    assert (await world.call("GET", "/v1/admin/workspaces/other")).status == 404


async def test_a_users_key_never_exceeds_his_role(world: World) -> None:
    """Not when it is made, not when it is changed, and not when his role becomes less."""
    user = await joined(world, "ann@example.com", workspaces={"default": "manager"})
    assert (await _user_key(world, user.id, ["workspaces.update"])).status == 403
    assert (await _user_key(world, user.id, ["audit_logs.list"], None)).status == 403
    made = (await _user_key(world, user.id, ["configs.create", "logs.view"])).json
    assert (await world.call("PUT", f"/v1/api-keys/{made['id']}", {"scopes": ["workspaces.update"]})).status == 403
    assert (await world.directory.authenticate(made["key"])).scopes == {"configs.create", "logs.view"}
    await world.ok("PUT", f"/v1/admin/workspaces/default/users/{user.id}", {"role": "member"})
    assert (await world.directory.authenticate(made["key"])).scopes == {"logs.view"}
    await world.ok("PUT", f"/v1/admin/users/{user.id}", {"role": "admin"})
    assert (await world.directory.authenticate(made["key"])).scopes == {"configs.create", "logs.view"}


async def test_a_key_needs_a_user_who_is_a_member(world: World) -> None:
    """Nobody's key is not made, nor one where its user has no place."""
    outsider = await joined(world, "ann@example.com")
    assert (await _user_key(world, "usr_none", ["logs.view"])).status == 404
    assert (await _user_key(world, outsider.id, ["logs.view"])).status == 403
    assert (await _user_key(world, outsider.id, [])).status == 403


async def test_keys_end_with_their_user(world: World) -> None:
    """Taken out of a workspace he loses its keys, removed from the organization all of them: at once."""
    await world.ok("POST", "/v1/admin/workspaces", {"name": "other"})
    places = {"default": "member", "other": "member"}
    user = await joined(world, "ann@example.com", workspaces=places, scopes=["completions.write"])
    _, service = await customer_key(world, "default")
    default, other = [user.keys[each] for each in user.keys]
    for key in (default, other):
        await world.directory.authenticate(key)
    await world.ok("DELETE", f"/v1/admin/workspaces/default/users/{user.id}")
    with pytest.raises(Unauthenticated):
        await world.directory.authenticate(default)
    await world.directory.authenticate(other)
    await world.ok("DELETE", f"/v1/admin/users/{user.id}")
    with pytest.raises(Unauthenticated):
        await world.directory.authenticate(other)
    assert (await world.call("GET", f"/v1/admin/users/{user.id}")).status == 404
    assert (await world.ok("GET", "/v1/admin/workspaces/other/users"))["total"] == 0
    await world.directory.authenticate(service)


async def test_a_workspace_goes_with_its_members(world: World) -> None:
    """And an invite to it still makes a user, who has one place fewer."""
    await world.ok("POST", "/v1/admin/workspaces", {"name": "other"})
    user = await joined(world, "ann@example.com", workspaces={"other": "member"})
    _, token = await invited(world, "bob@example.com", workspaces=[{"id": "other", "role": "member"}])
    await world.ok("DELETE", "/v1/admin/workspaces/other")
    assert (await world.ok("GET", f"/v1/admin/users/{user.id}"))["workspace_ids"] == []
    made = await world.ok("POST", ACCEPT, {"token": token, "first_name": "Bob"}, key="")
    assert made["workspace_ids"] == []


def test_a_session_may_what_the_role_says() -> None:
    """Owners and admins everything of the organization, members what their place lets them, others nothing."""
    user = User(
        id="usr_1",
        organization_id="org_1",
        email="a@example.com",
        first_name="A",
        last_name="",
        role=OrganizationRole.MEMBER,
        created_at=1,
        updated_at=1,
    )
    place = Member(workspace_id="ws_1", user_id="usr_1", role=WorkspaceRole.MEMBER, created_at=1, updated_at=1)
    session = Principal.of_user(user, place)
    assert (session.actor, session.workspace_id) == ("user:usr_1", "ws_1")
    session.require("logs.view")
    for scope in ("configs.create", "workspace_users.create", "tenants.update"):
        with pytest.raises(Forbidden):
            session.require(scope)
    with pytest.raises(Forbidden):
        Principal.of_user(user)
