"""`/admin/tenants/{tenant_id}/portal-sessions`: links that let a customer into the portal, and who is in it."""

from typing import Annotated

from fastapi import APIRouter

from headgate.controlplane import portal_bodies
from headgate.controlplane.answers import Answer, done, listing
from headgate.controlplane.caller import AuthenticatedRoute, WithServices, needs
from headgate.controlplane.paging import Paged
from headgate.tenancy.principal import Principal

router = APIRouter(prefix="/admin/tenants/{tenant_id}/portal-sessions", tags=["portal"], route_class=AuthenticatedRoute)


@router.post("")
async def create(
    tenant_id: str,
    services: WithServices,
    principal: Annotated[Principal, needs("portal_sessions.create")],
    body: portal_bodies.NewPortalSession | None = None,
) -> Answer:
    """A link for the browser of one customer: it opens the portal once, before `expires_at`. `url` in the answer is the
    only time it is shown."""
    fields = {} if body is None else body.sent()
    session, url = await services.portal_links.create(principal, tenant_id, fields)
    return Answer(portal_bodies.session(session) | {"url": url})


@router.get("")
async def find(
    tenant_id: str,
    services: WithServices,
    page: Paged,
    principal: Annotated[Principal, needs("portal_sessions.list")],
) -> Answer:
    """Who looks at this tenant now, or may with a link: everything but the link."""
    found, total = await services.portal_links.find(principal, tenant_id, page)
    return listing([portal_bodies.session(each) for each in found], total)


@router.delete("/{session_id}")
async def revoke(
    tenant_id: str,
    session_id: str,
    services: WithServices,
    principal: Annotated[Principal, needs("portal_sessions.delete")],
) -> Answer:
    """End it at once; a link that was not opened yet opens nothing any more."""
    await services.portal_links.revoke(principal, tenant_id, session_id)
    return done()
