"""What a tenant sees in the portal, for an operator who looks and changes nothing; and who else is in there."""

from collections.abc import Sequence

from starlette.responses import RedirectResponse, Response

from headgate.console.form import audited
from headgate.console.portal.visit import COOKIE
from headgate.console.portal.visit import HOME as PORTAL
from headgate.console.visit import HOME, Visit
from headgate.tenancy.portal_session import PortalSession
from headgate.tenancy.portal_sessions import VIEWING
from headgate.tenancy.stores import Page


def allowed(visit: Visit) -> bool:
    """Whether he may see all that a tenant sees."""
    return visit.principal.scopes.issuperset(VIEWING)


async def inside(visit: Visit, tenant_id: str) -> Sequence[PortalSession]:
    """Who is in the portal of a tenant now, or may with a link, for those who may see that."""
    if not visit.may("portal_sessions.list"):
        return ()
    found, _ = await visit.services.portal_links.find(visit.principal, tenant_id, Page(limit=50))
    return found


async def end(visit: Visit) -> Response:
    """Somebody's session in the portal, or the link that would open one."""
    tenant = visit.named("tenant")
    await visit.services.portal_links.revoke(visit.principal, tenant, visit.named("session"))
    return RedirectResponse(f"{HOME}/tenants/{tenant}", 303)


async def enter(visit: Visit) -> Response:
    """To the portal, as this tenant; the entry in the audit log says who looked."""
    origin = audited(visit.request, visit.form)
    session, token = await visit.services.portal_sessions.view(visit.signed, visit.named("tenant"), origin)
    response = RedirectResponse(PORTAL, 303)
    response.set_cookie(
        COOKIE,
        token,
        max_age=(session.expires_at - visit.services.clock.now()) // 1_000_000_000,
        path=PORTAL,
        secure=visit.console.secure(visit.request),
        httponly=True,
        samesite="lax",
    )
    return response
