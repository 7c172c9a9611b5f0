"""What a tenant sees in the portal, for an operator who looks and changes nothing."""

from starlette.responses import RedirectResponse, Response

from headgate.console.form import audited
from headgate.console.portal.visit import COOKIE
from headgate.console.portal.visit import HOME as PORTAL
from headgate.console.visit import Visit
from headgate.tenancy.portal_sessions import VIEWING


def allowed(visit: Visit) -> bool:
    """Whether he may see all that a tenant sees."""
    return visit.principal.scopes.issuperset(VIEWING)


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
