"""`/admin/users`: those who administer."""

from typing import Annotated

from fastapi import APIRouter

from headgate.controlplane import people_views
from headgate.controlplane.answers import Answer, done, listing
from headgate.controlplane.caller import AuthenticatedRoute, WithServices, needs
from headgate.controlplane.paging import Paged
from headgate.controlplane.people_bodies import UserChange
from headgate.tenancy.principal import Principal

router = APIRouter(prefix="/admin/users", tags=["users"], route_class=AuthenticatedRoute)


@router.get("")
async def find(
    services: WithServices,
    page: Paged,
    principal: Annotated[Principal, needs("organisation_users.list")],
    role: str | None = None,
    email: str | None = None,
) -> Answer:
    """All users of the organization, or those with a role or an e-mail address."""
    found, total = await services.users.find(principal, page, role=role, email=email)
    return listing([people_views.user(*each) for each in found], total)


@router.get("/{user_id}")
async def get(
    user_id: str, services: WithServices, principal: Annotated[Principal, needs("organisation_users.read")]
) -> Answer:
    """One user, and the workspaces he is a member of."""
    return Answer(people_views.user(*await services.users.get(principal, user_id)))


@router.put("/{user_id}")
async def update(
    user_id: str,
    body: UserChange,
    services: WithServices,
    principal: Annotated[Principal, needs("organisation_users.update")],
) -> Answer:
    """Change his role or his name. The last owner stays one."""
    await services.users.update(principal, user_id, body.sent())
    return done()


@router.delete("/{user_id}")
async def delete(
    user_id: str, services: WithServices, principal: Annotated[Principal, needs("organisation_users.delete")]
) -> Answer:
    """Remove him from the organization; his keys are revoked."""
    await services.users.delete(principal, user_id)
    return done()
