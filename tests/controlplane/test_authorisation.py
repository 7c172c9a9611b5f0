"""Every route, by every kind of caller: generated from the table of routes, so that a new one is tried as well.

What each test finds wrong it tells for all routes at once, with what to do.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pytest

from headgate.controlplane.caller import AuthenticatedRoute
from headgate.tenancy import keys
from headgate.tenancy.administration import Change
from headgate.tenancy.api_key import KeyLevel, KeyOwner
from headgate.tenancy.api_keys import create_key
from headgate.tenancy.organization import Organization
from headgate.tenancy.principal import Principal
from headgate.tenancy.roles import ORGANIZATION_ROLES, WORKSPACE_ROLES, OrganizationRole, WorkspaceRole
from headgate.tenancy.scopes import ORGANIZATION_SCOPES, WORKSPACE_SCOPES
from tests.support.administration import PEPPER, World
from tests.support.asgi import Reply
from tests.support.people import joined
from tests.support.routes import HERE, QUERIES, Route, declared, filled, furnish, routes, sample

ABSENT = "zzz-never-was"
ORGANIZATION_ONLY = {
    "PUT /admin/workspaces/{workspace_id}",
}
"""Refused to every key of a workspace, although its scope can be granted to one."""
ROUTES = list(routes())
GUARDED = [route for route in ROUTES if not route.open and not route.for_any_key]


def refused(route: Route, scopes: Collection[str], *, of_workspace: bool) -> bool:
    """What the table says of a caller with these scopes."""
    return not route.scopes & set(scopes) or (of_workspace and str(route) in ORGANIZATION_ONLY)


async def ask(world: World, route: Route, key: str) -> Reply:
    """With nothing in the body and nothing there that the path names: whoever is let in gets 400 or 404."""
    body: dict[str, Any] | None = None if route.method in ("GET", "DELETE") else {}
    return await world.call(route.method, filled(route.path, {}, ABSENT), body, key=key)


async def wrong(world: World, route: Route, key: str, *, refuse: bool, scopes: Collection[str] = ()) -> str | None:
    """What is not as the table says; None if all is."""
    reply = await ask(world, route, key)
    if refuse and reply.status != 403:
        return f"{route} let a caller in without {' or '.join(sorted(route.scopes))}: {reply.status}"
    if not refuse and (reply.status in (401, 403) or reply.status >= 500):
        return (
            f"{route} answered {reply.status} to a caller with {' '.join(sorted(route.scopes & set(scopes)))}: "
            f"{reply.json['message']} (if only the organization may: add it to ORGANIZATION_ONLY)"
        )
    return None


def nothing_wrong(found: Sequence[str | None]) -> None:
    assert not any(found), "\n" + "\n".join(each for each in found if each)


async def minted(world: World, scopes: Collection[str], workspace: str | None) -> str:
    """The operator makes it: he may grant everything."""
    level = KeyLevel.ORGANIZATION if workspace is None else KeyLevel.WORKSPACE
    fields: dict[str, Any] = {"name": "k", "scopes": sorted(scopes)}
    if workspace is not None:
        fields["workspace_id"] = workspace
    _, text = await world.services.api_keys.create(world.root, level, KeyOwner.SERVICE, fields)
    return text


def test_every_route_says_who_may_call_it() -> None:
    """Exactly once, with scopes that exist, and checked before the body is read."""
    known = WORKSPACE_SCOPES | ORGANIZATION_SCOPES
    found = [
        f"{route}: declare its scopes as the type of its `principal`: Annotated[Principal, needs('…')]"
        for route in ROUTES
        if len(route.access) != 1
    ]
    found += [f"{route}: no such scope: {route.scopes - known}" for route in ROUTES if route.scopes - known]
    found += [
        f"{route}: its router needs route_class=AuthenticatedRoute"
        for route in ROUTES
        if not route.open and not isinstance(route.route, AuthenticatedRoute)
    ]
    nothing_wrong(found)


def test_a_route_without_a_declaration_is_seen() -> None:
    """The test above has something to see: a route that declares nothing has no access."""
    from fastapi import APIRouter

    router = APIRouter()

    @router.get("/x")
    async def forgotten() -> None:
        """Nobody said who may."""

    (route,) = router.routes
    assert declared(route) == ()  # type: ignore[arg-type]
    assert len(GUARDED) > 50


@pytest.mark.parametrize("key", ["", keys.mint(PEPPER, bytes).text, "nonsense"], ids=["none", "unknown", "malformed"])
async def test_without_a_key_of_this_house_everything_is_closed(world: World, key: str) -> None:
    """401, whatever the path names and the body holds, with one and the same answer."""
    replies = [(route, await ask(world, route, key)) for route in ROUTES if not route.open]
    nothing_wrong([f"{route}: {reply.status}" for route, reply in replies if reply.status != 401])
    assert len({reply.body for _, reply in replies}) == 1


@pytest.mark.parametrize("of_workspace", [False, True], ids=["organization", "workspace"])
async def test_a_key_with_every_scope_but_the_routes_own_is_refused(world: World, of_workspace: bool) -> None:
    """403, before the body is read: neither what it holds nor whether an object exists is told."""
    every = WORKSPACE_SCOPES if of_workspace else ORGANIZATION_SCOPES
    made: dict[frozenset[str], str] = {}
    found = []
    for route in GUARDED:
        rest = every - route.scopes
        if rest not in made:
            made[rest] = await minted(world, rest, "default" if of_workspace else None)
        found.append(await wrong(world, route, made[rest], refuse=True))
    nothing_wrong(found)


@pytest.mark.parametrize("of_workspace", [False, True], ids=["organization", "workspace"])
async def test_a_key_with_one_of_the_routes_scopes_is_let_in(world: World, of_workspace: bool) -> None:
    """And needs no other; what is the organization's alone stays closed to a workspace's key."""
    every = WORKSPACE_SCOPES if of_workspace else ORGANIZATION_SCOPES
    found = []
    for scope in sorted(every & {scope for route in GUARDED for scope in route.scopes}):
        key = await minted(world, {scope}, "default" if of_workspace else None)
        for route in GUARDED:
            if scope in route.scopes:
                refuse = refused(route, {scope}, of_workspace=of_workspace)
                found.append(await wrong(world, route, key, refuse=refuse, scopes={scope}))
    nothing_wrong(found)


@pytest.mark.parametrize("role", OrganizationRole)
async def test_a_user_may_in_the_organization_what_his_role_says(world: World, role: OrganizationRole) -> None:
    """Owners and admins everything, members nothing: they cannot even have a key."""
    user = await joined(world, "ann@example.com", role)
    scopes = ORGANIZATION_ROLES[role]
    body = {"name": "k", "user_id": user.id, "scopes": sorted(scopes)}
    reply = await world.call("POST", "/v1/api-keys/organisation/user", body)
    if not scopes:
        assert reply.status == 403
        return
    key = reply.json["key"]
    found = [
        await wrong(world, route, key, refuse=refused(route, scopes, of_workspace=False), scopes=scopes)
        for route in GUARDED
    ]
    nothing_wrong(found)


@pytest.mark.parametrize("role", WorkspaceRole)
async def test_a_user_may_in_his_workspace_what_his_role_says(world: World, role: WorkspaceRole) -> None:
    """All of its scopes and no other."""
    user = await joined(world, "ann@example.com", workspaces={"default": role}, scopes=sorted(WORKSPACE_ROLES[role]))
    (key,) = user.keys.values()
    scopes = WORKSPACE_ROLES[role]
    found = [
        await wrong(world, route, key, refuse=refused(route, scopes, of_workspace=True), scopes=scopes)
        for route in GUARDED
    ]
    nothing_wrong(found)


async def test_what_is_for_every_key_is_for_a_customers_key(world: World) -> None:
    """And needs no scope at all."""
    key = await minted(world, {"completions.write"}, "default")
    replies = [(route, await ask(world, route, key)) for route in ROUTES if route.for_any_key]
    nothing_wrong([f"{route}: {reply.status}" for route, reply in replies if reply.status != 200])
    assert replies


async def _stranger(world: World) -> str:
    """The admin key of another organization, whose first admin made it."""
    admin = keys.mint(PEPPER)

    def work(change: Change) -> None:
        now = change.now
        change.stores.organizations.add(Organization(id="org_other", name="Other", created_at=now, updated_at=now))
        fields = {"name": "admin", "scopes": sorted(ORGANIZATION_SCOPES)}
        create_key(change, admin, KeyLevel.ORGANIZATION, KeyOwner.SERVICE, fields)

    await world.administration.change(Principal.operator("org_other"), work)
    return admin.text


async def _caller(world: World, kind: str) -> str:
    if kind == "another organization":
        return await _stranger(world)
    await world.ok("POST", "/v1/admin/workspaces", {"name": "elsewhere"})
    return await minted(world, WORKSPACE_SCOPES - {"tenants.act_as"}, "elsewhere")


@pytest.mark.parametrize("kind", ["another organization", "another workspace"])
async def test_foreign_objects_answer_as_if_they_were_not_there(world: World, kind: str) -> None:
    """To read, to change and to remove: the status and the words for what never was. And nothing happened to them."""
    objects = await furnish(world, "mine")
    key = await _caller(world, kind)
    before = await _state(world, objects)
    found = []
    for route in GUARDED:
        for at in route.objects:
            query = QUERIES.get(str(route), "")
            foreign = filled(route.path, objects) + query
            absent = filled(route.path, {**objects, at: ABSENT}) + query
            body = sample(route)
            one = await world.call(route.method, foreign, body, key=key)
            other = await world.call(route.method, absent, body, key=key)
            if one.status not in (403, 404) or not _alike(one, other, objects.values()):
                found.append(f"{route}: foreign {one.status} {one.body!r}\n    absent {other.status} {other.body!r}")
    nothing_wrong(found)
    assert await _state(world, objects) == before


def _alike(one: Reply, other: Reply, names: Collection[str]) -> bool:
    def without_names(reply: Reply) -> str:
        text = reply.body.decode()
        for name in (*names, ABSENT):
            text = text.replace(name, "")
        return text

    return one.status == other.status and without_names(one) == without_names(other)


async def _state(world: World, objects: Mapping[str, str]) -> list[Any]:
    """All of them, as their administrator sees them."""
    readable = [route for route in GUARDED if route.method == "GET" and route.objects]
    replies = [await world.call("GET", filled(route.path, objects)) for route in readable]
    assert {reply.status for reply in replies} <= {200, 409}  # a draft cannot be downloaded
    return [reply.json for reply in replies]


@pytest.mark.parametrize("kind", ["another organization", "another workspace"])
async def test_no_list_shows_what_is_anothers(world: World, kind: str) -> None:
    """Nor does it count it."""
    objects = await furnish(world, "mine")
    key = await _caller(world, kind)
    found = []
    for route in GUARDED:
        if route.method == "GET" and not route.objects and "{" not in route.path:
            reply = await world.call("GET", f"/v1{route.path}", key=key)
            shown = [name for name in objects.values() if name.encode() in reply.body]
            found.append(f"{route} shows {shown}" if shown else None)
    nothing_wrong(found)


async def test_all_samples_are_good(world: World) -> None:
    """What the tests send is what the routes take: the owner of the objects gets 200, or is told of an absent name."""
    objects = await furnish(world, "mine")
    found = []
    for route in sorted(ROUTES, key=lambda route: route.method == "DELETE"):
        if route.body is not None:
            reply = await world.call(route.method, filled(route.path, objects), sample(route))
            good = reply.status in (200, 404)
            found.append(None if good else f"{route}: {reply.status} {reply.json['message']} (mend BODIES in {HERE})")
    nothing_wrong(found)


@pytest.mark.parametrize("level", ["organisation", "workspace"])
@pytest.mark.parametrize("owner", ["service", "user"])
async def test_each_kind_of_key_needs_its_own_scope(world: World, level: str, owner: str) -> None:
    """That of another kind does not do, although it opens the same route."""
    family = "organisation_service_api_keys" if level == "organisation" else f"workspace_{owner}_api_keys"
    all_of_them = {
        f"{each}_api_keys.create" for each in ("organisation_service", "workspace_service", "workspace_user")
    }
    own = await minted(world, {f"{family}.create"}, None)
    others = await minted(world, all_of_them - {f"{family}.create"}, None)
    user = await joined(world, "ann@example.com", "admin")
    body: dict[str, Any] = {"name": "k", "scopes": [], "user_id": user.id}
    if level == "workspace":
        body["workspace_id"] = "default"
    path = f"/v1/api-keys/{level}/{owner}"
    assert (await world.call("POST", path, body, key=own)).status == 200
    assert (await world.call("POST", path, body, key=others)).status == 403
