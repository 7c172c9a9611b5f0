"""`/admin/tenants`: the customer accounts within workspaces."""

from typing import Annotated

from fastapi import APIRouter

from headgate.controlplane.answers import Answer, done, listing
from headgate.controlplane.caller import AuthenticatedRoute, WithServices, needs
from headgate.controlplane.paging import Paged
from headgate.controlplane.tenant_bodies import NewTenant, TenantChange, shown
from headgate.tenancy.principal import Principal
from headgate.tenancy.tenant import Tenant

router = APIRouter(prefix="/admin/tenants", tags=["tenants"], route_class=AuthenticatedRoute)


@router.post("")
async def create(
    body: NewTenant, services: WithServices, principal: Annotated[Principal, needs("tenants.create")]
) -> Answer:
    """Make a tenant: one customer account within a workspace."""
    return await _one(services, await services.tenants.create(principal, body.sent()))


@router.get("")
async def find(
    services: WithServices,
    page: Paged,
    principal: Annotated[Principal, needs("tenants.list")],
    workspace_id: str | None = None,
) -> Answer:
    """All tenants, or those of one workspace."""
    found, total = await services.tenants.find(principal, page, workspace=workspace_id)
    return listing(await shown(found, services), total)


@router.get("/{tenant_id}")
async def get(tenant_id: str, services: WithServices, principal: Annotated[Principal, needs("tenants.read")]) -> Answer:
    """One tenant, by your name for it or by its id."""
    return await _one(services, await services.tenants.get(principal, tenant_id))


@router.put("/{tenant_id}")
async def update(
    tenant_id: str,
    body: TenantChange,
    services: WithServices,
    principal: Annotated[Principal, needs("tenants.update")],
) -> Answer:
    """Change what is sent; a list of limits replaces the one before."""
    return await _one(services, await services.tenants.update(principal, tenant_id, body.sent()))


@router.delete("/{tenant_id}")
async def delete(
    tenant_id: str, services: WithServices, principal: Annotated[Principal, needs("tenants.delete")]
) -> Answer:
    """Remove one that has no keys; its usage records stay."""
    await services.tenants.delete(principal, tenant_id)
    return done()


async def _one(services: WithServices, found: Tenant) -> Answer:
    (view,) = await shown([found], services)
    return Answer(view)
