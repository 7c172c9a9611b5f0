"""Workspaces: what each spends, its limits, what it has of the integrations, and who is in it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from headgate.base.errors import HeadgateError
from headgate.console import limit_rows, portal_rows
from headgate.console.chart import Chart
from headgate.console.formats import lines_of
from headgate.console.keys import listed_kinds
from headgate.console.overview import calling, spending
from headgate.console.pager import Pager
from headgate.console.visit import HOME, Visit
from headgate.tenancy.roles import WorkspaceRole
from headgate.tenancy.stores import Page
from headgate.tenancy.user import Member, User
from headgate.tenancy.workspace import Workspace

WORKSPACES: Final = f"{HOME}/workspaces"
_ONE: Final = Page(limit=1)


async def listed(visit: Visit) -> Response:
    """Fifty at a time, each with where its budgets stand and what it spent."""
    services, principal, pager = visit.services, visit.principal, Pager.of(visit.query)
    name = visit.query.get("name", "").strip()
    found, total = await services.workspaces.find(principal, pager.page, name=name or None, by="part in any case")
    standings = await services.standings.of(principal.organization_id, found)
    return visit.page(
        "workspaces.html",
        rows=list(zip(found, standings, strict=True)),
        spent=await _spent(visit, [each.slug for each in found]),
        name=name,
        pager=pager.over(total),
    )


async def show(visit: Visit) -> Response:
    """One workspace."""
    return await _shown(visit, await visit.services.workspaces.get(visit.principal, visit.named("workspace")))


async def new(visit: Visit) -> Response:
    """An empty form."""
    return _form(visit, None, {"name": "", "slug": "", "description": "", "metadata": ""})


async def create(visit: Visit) -> Response:
    """To the new workspace, or back to the form with what was wrong."""
    try:
        made = await visit.services.workspaces.create(visit.principal, _asked(visit) | {"slug": visit.form.one("slug")})
    except HeadgateError as error:
        return _form(visit, None, _typed(visit), error)
    return RedirectResponse(f"{WORKSPACES}/{made.slug}", 303)


async def edit(visit: Visit) -> Response:
    """The form with what there is."""
    visit.principal.require_organization()
    workspace = await visit.services.workspaces.get(visit.principal, visit.named("workspace"))
    fields = {"name": workspace.name, "description": workspace.description, "metadata": lines_of(workspace.metadata)}
    return _form(visit, workspace, fields)


async def update(visit: Visit) -> Response:
    """The same as `create`, for one that is there."""
    before = await visit.services.workspaces.get(visit.principal, visit.named("workspace"))
    try:
        visit.form.require_unchanged(before.updated_at)
        await visit.services.workspaces.update(visit.principal, before.id, _asked(visit, before))
    except HeadgateError as error:
        return _form(visit, before, _typed(visit), error)
    return RedirectResponse(f"{WORKSPACES}/{before.slug}", 303)


async def reset(visit: Visit) -> Response:
    """What it used before counts no longer."""
    workspace = await visit.services.workspaces.update(visit.principal, visit.named("workspace"), {"reset_usage": True})
    return RedirectResponse(f"{WORKSPACES}/{workspace.slug}", 303)


async def remove(visit: Visit) -> Response:
    """One that holds nothing any more; what it still holds is said on its page."""
    workspace = await visit.services.workspaces.get(visit.principal, visit.named("workspace"))
    try:
        await visit.services.workspaces.delete(visit.principal, workspace.id)
    except HeadgateError as error:
        return await _shown(visit, workspace, error)
    return RedirectResponse(WORKSPACES, 303)


async def add_member(visit: Visit) -> Response:
    """A user becomes a member."""
    workspace = await visit.services.workspaces.get(visit.principal, visit.named("workspace"))
    user = {"id": visit.form.one("user_id"), "role": visit.form.one("role")}
    try:
        await visit.services.members.add(visit.principal, workspace.id, [user])
    except HeadgateError as error:
        return await _shown(visit, workspace, error)
    return RedirectResponse(f"{WORKSPACES}/{workspace.slug}", 303)


async def change_member(visit: Visit) -> Response:
    """Another role, or none."""
    principal, members = visit.principal, visit.services.members
    workspace = await visit.services.workspaces.get(principal, visit.named("workspace"))
    try:
        if visit.form.one("role"):
            principal.require("workspace_users.update")
            await members.update(principal, workspace.id, visit.named("user"), visit.form.one("role"))
        else:
            principal.require("workspace_users.delete")
            await members.remove(principal, workspace.id, visit.named("user"))
    except HeadgateError as error:
        return await _shown(visit, workspace, error)
    return RedirectResponse(f"{WORKSPACES}/{workspace.slug}", 303)


async def _shown(visit: Visit, workspace: Workspace, error: HeadgateError | None = None) -> Response:
    services, principal, members = visit.services, visit.principal, await _members(visit, workspace)
    return visit.page(
        "workspace.html",
        status=error.status if error else 200,
        workspace=workspace,
        budgets=await services.standings.one(principal.organization_id, workspace),
        charts=await _charts(visit, workspace),
        held=await _held(visit, workspace),
        provided=await _provided(visit, workspace),
        members=members,
        users=await _others(visit, members or ()),
        roles=list(WorkspaceRole),
        error=error,
    )


async def _charts(visit: Visit, workspace: Workspace) -> list[Chart]:
    if not visit.may("analytics.view"):
        return []
    asked = {**visit.time.asked(), "workspace_slug": workspace.slug}
    sums = await visit.services.analytics.usage.sums(visit.principal, asked)
    return [spending(visit, sums["cost"]), calling(visit, sums["requests"])]


async def _held(visit: Visit, workspace: Workspace) -> list[tuple[str, int, str]]:
    """What is in it: the noun, how many, and where they are."""
    services, principal, held = visit.services, visit.principal, []
    if visit.may("tenants.list"):
        _, total = await services.tenants.find(principal, _ONE, workspace=workspace.id)
        held.append(("Tenants", total, f"{HOME}/tenants?workspace={workspace.slug}"))
    if kinds := listed_kinds(visit):
        _, total = await services.api_keys.find(principal, _ONE, kinds, workspace=workspace.id)
        held.append(("API keys", total, f"{HOME}/keys?workspace={workspace.slug}"))
    return held


async def _provided(visit: Visit, workspace: Workspace) -> list[tuple[Any, ...]]:
    """Provider, integration, what the workspace has of it, and both their budgets."""
    if not visit.may("providers.list"):
        return []
    organization_id, standings = visit.principal.organization_id, visit.services.standings
    found = await visit.services.providers.in_force(visit.principal, workspace.id)
    theirs = await standings.of(organization_id, [provider for provider, _, _ in found])
    given = await standings.of(organization_id, [provisioning for _, _, provisioning in found])
    return [(*each, *budgets) for each, *budgets in zip(found, given, theirs, strict=True)]


async def _members(visit: Visit, workspace: Workspace) -> Sequence[tuple[Member, User]] | None:
    if not visit.may("workspace_users.list"):
        return None
    found, _ = await visit.services.members.find(visit.principal, workspace.id, Page(limit=500))
    return found


async def _others(visit: Visit, members: Sequence[tuple[Member, User]]) -> list[User]:
    """Who could become a member, for those who see the organization's users."""
    if not visit.may("organisation_users.list"):
        return []
    found, _ = await visit.services.users.find(visit.principal, Page(limit=500))
    there = {user.id for _, user in members}
    return [user for user, _ in found if user.id not in there]


def _form(
    visit: Visit, workspace: Workspace | None, fields: dict[str, str], error: HeadgateError | None = None
) -> Response:
    return visit.page(
        "workspace_form.html",
        status=error.status if error else 200,
        workspace=workspace,
        fields=fields,
        limits=limit_rows.limit_rows(workspace, visit.form),
        choices=limit_rows,
        portal=portal_rows.portal_fields(_portal(visit, workspace)),
        portal_choices=portal_rows,
        error=error,
    )


def _portal(visit: Visit, workspace: Workspace | None) -> Mapping[str, Any]:
    """As it was typed, or as it is."""
    if visit.form.fields:
        return portal_rows.typed_portal(visit.form)
    return {} if workspace is None else workspace.portal


def _typed(visit: Visit) -> dict[str, str]:
    return {name: visit.form.one(name) for name in ("name", "slug", "description", "metadata")}


def _asked(visit: Visit, before: Workspace | None = None) -> dict[str, Any]:
    form = visit.form
    said = {name: form.one(name) for name in ("name", "description")}
    defaults = {"metadata": form.pairs("metadata")}
    portal = portal_rows.typed_portal(form)
    return {**said, "defaults": defaults, "portal": portal, **limit_rows.limits_asked(form, before)}


async def _spent(visit: Visit, slugs: list[str]) -> dict[str, Any]:
    """By id, within the time the page is about; nothing where he may not see it."""
    if not slugs or not visit.may("analytics.view"):
        return {}
    asked = {**visit.time.asked(), "workspace_slug": slugs}
    rows, _ = await visit.services.analytics.usage.group(
        visit.principal, "workspaces", asked, Page(), order_by="cost", ascending=False
    )
    return {each["workspace"]: each for each in rows}
