"""`/admin/workspaces/{workspace_id}/users`: who is in a workspace, and as what."""

from typing import Annotated

from fastapi import APIRouter

from headgate.controlplane import people_views
from headgate.controlplane.answers import Answer, done, listing
from headgate.controlplane.caller import AuthenticatedRoute, WithServices, needs
from headgate.controlplane.paging import Paged
from headgate.controlplane.people_bodies import MemberChange, NewMembers
from headgate.tenancy.principal import Principal

router = APIRouter(prefix="/admin/workspaces/{workspace_id}/users", tags=["members"], route_class=AuthenticatedRoute)


@router.post("")
async def add(
    workspace_id: str,
    body: NewMembers,
    services: WithServices,
    principal: Annotated[Principal, needs("workspace_users.create")],
) -> Answer:
    """Make users members: all that are named, or none."""
    await services.members.add(principal, workspace_id, body.sent()["users"])
    return done()


@router.get("")
async def find(
    workspace_id: str,
    services: WithServices,
    page: Paged,
    principal: Annotated[Principal, needs("workspace_users.list")],
    role: str | None = None,
    email: str | None = None,
) -> Answer:
    """The members of a workspace."""
    found, total = await services.members.find(principal, workspace_id, page, role=role, email=email)
    return listing([people_views.member(*each) for each in found], total)


@router.get("/{user_id}")
async def get(
    workspace_id: str,
    user_id: str,
    services: WithServices,
    principal: Annotated[Principal, needs("workspace_users.read")],
) -> Answer:
    """One member."""
    return Answer(people_views.member(*await services.members.get(principal, workspace_id, user_id)))


@router.put("/{user_id}")
async def update(
    workspace_id: str,
    user_id: str,
    body: MemberChange,
    services: WithServices,
    principal: Annotated[Principal, needs("workspace_users.update")],
) -> Answer:
    """Change his role here."""
    await services.members.update(principal, workspace_id, user_id, body.role)
    return done()


@router.delete("/{user_id}")
async def remove(
    workspace_id: str,
    user_id: str,
    services: WithServices,
    principal: Annotated[Principal, needs("workspace_users.delete")],
) -> Answer:
    """Take him out of the workspace; his keys in it are revoked."""
    await services.members.remove(principal, workspace_id, user_id)
    return done()
