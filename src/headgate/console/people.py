"""People: users, their roles, and invites, whose links are shown once."""

from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from headgate.base.errors import HeadgateError
from headgate.console.pager import Pager
from headgate.console.visit import HOME, Visit
from headgate.tenancy.invite import InviteStatus
from headgate.tenancy.roles import OrganizationRole, WorkspaceRole
from headgate.tenancy.stores import Page

PEOPLE: Final = f"{HOME}/people"
ROWS: Final = 3
"""Workspaces that the form to invite has room for; more are given on their own pages."""
ROLE_WORDS: Final = {
    OrganizationRole.MEMBER: "member: what his workspaces let him",
    OrganizationRole.ADMIN: "admin: the whole organization",
    OrganizationRole.OWNER: "owner: the same, and makes owners",
}


async def listed(visit: Visit) -> Response:
    """Users, fifty at a time, and the invites that are open."""
    pager, email = Pager.of(visit.query), visit.query.get("email", "").strip()
    found, total = await visit.services.users.find(visit.principal, pager.page, email=email or None)
    open_ones = {}
    for status in (InviteStatus.PENDING, InviteStatus.EXPIRED):
        invites, _ = await visit.services.invites.find(visit.principal, Page(limit=100), status=status)
        open_ones[status] = invites
    return visit.page(
        "people.html",
        rows=found,
        invites=[(each, status) for status, invites in open_ones.items() for each in invites],
        workspaces=await _workspaces(visit),
        email=email,
        pager=pager.over(total),
    )


async def show(visit: Visit) -> Response:
    """One user."""
    return await _shown(visit)


async def update(visit: Visit) -> Response:
    """His name and his role, which all his keys and sessions have from the next call on."""
    asked = {name: visit.form.one(name) for name in ("first_name", "last_name", "role")}
    try:
        await visit.services.users.update(visit.principal, visit.named("user"), asked)
    except HeadgateError as error:
        return await _shown(visit, error)
    return RedirectResponse(f"{PEOPLE}/{visit.named('user')}", 303)


async def remove(visit: Visit) -> Response:
    """With his keys, his sessions and his places in workspaces."""
    try:
        await visit.services.users.delete(visit.principal, visit.named("user"))
    except HeadgateError as error:
        return await _shown(visit, error)
    return RedirectResponse(PEOPLE, 303)


async def reset_second_factor(visit: Visit) -> Response:
    """For who cannot show codes any more."""
    try:
        await visit.services.second_factors.reset(visit.principal, visit.named("user"))
    except HeadgateError as error:
        return await _shown(visit, error)
    return RedirectResponse(f"{PEOPLE}/{visit.named('user')}", 303)


async def password_link(visit: Visit) -> Response:
    """Shows it, this once."""
    try:
        user, reset, link = await visit.services.password_resets.link(visit.principal, visit.named("user"))
    except HeadgateError as error:
        return await _shown(visit, error)
    return visit.page("password_link.html", user=user, reset=reset, link=link)


async def new(visit: Visit) -> Response:
    """The form to invite somebody."""
    return await _form(visit, {"email": "", "role": OrganizationRole.MEMBER.value, "places": []})


async def invite(visit: Visit) -> Response:
    """Shows the link, this once."""
    form = visit.form
    columns = zip(form.all("workspace"), form.all("workspace_role"), strict=False)
    places = [{"id": place, "role": role} for place, role in columns if place]
    fields = {"email": form.one("email"), "role": form.one("role")}
    try:
        made, link = await visit.services.invites.create(visit.principal, fields | {"workspaces": places})
    except HeadgateError as error:
        return await _form(visit, {**fields, "places": [(each["id"], each["role"]) for each in places]}, error)
    return visit.page("invite_link.html", invite=made, link=link)


async def resend(visit: Visit) -> Response:
    """Another link in the place of the one before."""
    found, link = await visit.services.invites.resend(visit.principal, visit.named("invite"))
    return visit.page("invite_link.html", invite=found, link=link)


async def cancel(visit: Visit) -> Response:
    """Its link is none any more."""
    await visit.services.invites.cancel(visit.principal, visit.named("invite"))
    return RedirectResponse(PEOPLE, 303)


async def _shown(visit: Visit, error: HeadgateError | None = None) -> Response:
    user, places = await visit.services.users.get(visit.principal, visit.named("user"))
    return visit.page(
        "person.html",
        status=error.status if error else 200,
        user=user,
        typed={name: visit.form.one(name) if error else getattr(user, name) for name in ("first_name", "last_name")},
        places=places,
        factor=await visit.services.second_factors.of(user.id),
        workspaces=await _workspaces(visit),
        roles=ROLE_WORDS,
        error=error,
    )


async def _form(visit: Visit, fields: dict[str, Any], error: HeadgateError | None = None) -> Response:
    rows = [*fields["places"], *[("", WorkspaceRole.MEMBER.value)] * ROWS][: max(ROWS, len(fields["places"]))]
    return visit.page(
        "invite_form.html",
        status=error.status if error else 200,
        fields={**fields, "places": rows},
        workspaces=await _workspaces(visit),
        roles=ROLE_WORDS,
        workspace_roles=[each.value for each in reversed(WorkspaceRole)],
        error=error,
    )


async def _workspaces(visit: Visit) -> dict[str, Any]:
    found, _ = await visit.services.workspaces.find(visit.principal, Page(limit=1_000))
    return {each.id: each for each in found}
