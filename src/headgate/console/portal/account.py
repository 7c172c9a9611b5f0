"""Who has come in, and to which of his accounts."""

from starlette.responses import RedirectResponse, Response

from headgate.console.portal.visit import HOME, PortalVisit


async def show(visit: PortalVisit) -> Response:
    """With the accounts that he may change over to."""
    return visit.page("account.html", places=await visit.services.portal_sessions.places(visit.visitor))


async def choose(visit: PortalVisit) -> Response:
    """Another one of his accounts."""
    await visit.services.portal_sessions.choose(visit.visitor, visit.form.one("tenant"))
    return RedirectResponse(HOME, 303)
