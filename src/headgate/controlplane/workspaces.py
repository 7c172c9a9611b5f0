"""`/admin/workspaces`: the tiers, teams and regions of the organization."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter

from headgate.controlplane import people_views, views
from headgate.controlplane.answers import Answer, done, listing
from headgate.controlplane.bodies import NewWorkspace, WorkspaceChange
from headgate.controlplane.caller import AuthenticatedRoute, WithServices, needs
from headgate.controlplane.paging import Paged
from headgate.controlplane.services import Services
from headgate.tenancy.page import Page
from headgate.tenancy.principal import Principal
from headgate.tenancy.user import Member, User
from headgate.tenancy.workspace import Workspace

router = APIRouter(prefix="/admin/workspaces", tags=["workspaces"], route_class=AuthenticatedRoute)


@router.post("")
async def create(
    body: NewWorkspace, services: WithServices, principal: Annotated[Principal, needs("workspaces.create")]
) -> Answer:
    """Make a workspace: a tier, a team or a region."""
    found = await services.workspaces.create(principal, body.sent())
    return Answer(await _shown(services, found))


@router.get("")
async def find(
    services: WithServices,
    page: Paged,
    principal: Annotated[Principal, needs("workspaces.list")],
    name: str | None = None,
    exact_name: str | None = None,
    status: str | None = None,
) -> Answer:
    """All workspaces; for a workspace's key its own. `name` finds a part of the name, `exact_name` the whole. All that
    there are have the `status` `active`."""
    if status not in (None, "", "active"):
        return listing([], 0)
    exact = exact_name not in (None, "", "false")
    wanted = exact_name if exact and exact_name != "true" else name
    found, total = await services.workspaces.find(principal, page, name=wanted, by="whole" if exact else "part")
    standings = await services.standings.of(principal.organization_id, found)
    return listing([views.workspace(each, standing) for each, standing in zip(found, standings, strict=True)], total)


@router.get("/{workspace_id}")
async def get(
    workspace_id: str, services: WithServices, principal: Annotated[Principal, needs("workspaces.read")]
) -> Answer:
    """One workspace, by slug or id. `users` are its members, for callers with the scope `workspace_users.list`."""
    found = await services.workspaces.get(principal, workspace_id)
    users: Sequence[tuple[Member, User]] = ()
    if "workspace_users.list" in principal.scopes:
        users, _ = await services.members.find(principal, found.id, Page())
    return Answer(await _shown(services, found) | {"users": [people_views.member(*each) for each in users]})


@router.put("/{workspace_id}")
async def update(
    workspace_id: str,
    body: WorkspaceChange,
    services: WithServices,
    principal: Annotated[Principal, needs("workspaces.update")],
) -> Answer:
    """Change what is sent; a list of limits replaces the one before."""
    found = await services.workspaces.update(principal, workspace_id, body.sent())
    return Answer(await _shown(services, found))


@router.delete("/{workspace_id}")
async def delete(
    workspace_id: str, services: WithServices, principal: Annotated[Principal, needs("workspaces.delete")]
) -> Answer:
    """Remove a workspace that holds no tenants and no keys."""
    await services.workspaces.delete(principal, workspace_id)
    return done()


async def _shown(services: Services, found: Workspace) -> dict[str, Any]:
    return views.workspace(found, await services.standings.one(found.organization_id, found))
