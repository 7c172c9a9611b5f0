"""`/admin/tenants/{tenant_id}/users`: customers with a sign-in of their own for the portal."""

from typing import Annotated

from fastapi import APIRouter

from headgate.controlplane import portal_bodies
from headgate.controlplane.answers import Answer, done, listing
from headgate.controlplane.caller import AuthenticatedRoute, WithServices, needs
from headgate.controlplane.paging import Paged
from headgate.tenancy.principal import Principal

router = APIRouter(prefix="/admin/tenants/{tenant_id}/users", tags=["tenant users"], route_class=AuthenticatedRoute)


@router.post("")
async def add(
    tenant_id: str,
    body: portal_bodies.NewTenantMembers,
    services: WithServices,
    principal: Annotated[Principal, needs("workspace_users.create")],
) -> Answer:
    """Let users into the portal of this tenant: all that are named, or none."""
    await services.tenant_members.add(principal, tenant_id, body.sent()["users"])
    return done()


@router.get("")
async def find(
    tenant_id: str,
    services: WithServices,
    page: Paged,
    principal: Annotated[Principal, needs("workspace_users.list")],
) -> Answer:
    """The users of a tenant."""
    found, total = await services.tenant_members.find(principal, tenant_id, page)
    return listing(portal_bodies.members(found), total)


@router.delete("/{user_id}")
async def remove(
    tenant_id: str,
    user_id: str,
    services: WithServices,
    principal: Annotated[Principal, needs("workspace_users.delete")],
) -> Answer:
    """Take him out of the tenant: his sessions in its portal end."""
    await services.tenant_members.remove(principal, tenant_id, user_id)
    return done()
