"""Who has come in, to which of his accounts, and where else."""

from typing import Final

from starlette.responses import RedirectResponse, Response

from headgate.base.errors import HeadgateError
from headgate.console.portal.visit import HOME, PortalVisit

ACCOUNT: Final = f"{HOME}/account"


async def show(visit: PortalVisit) -> Response:
    """With the accounts that he may change over to."""
    return await page(visit)


async def choose(visit: PortalVisit) -> Response:
    """Another one of his accounts."""
    await visit.services.portal_sessions.choose(visit.visitor, visit.form.one("tenant"))
    return RedirectResponse(HOME, 303)


async def end_sessions(visit: PortalVisit) -> Response:
    """One elsewhere, or all of them."""
    await visit.services.portal_sessions.end_others(visit.visitor, visit.form.one("session") or None)
    return RedirectResponse(ACCOUNT, 303)


async def page(visit: PortalVisit, error: HeadgateError | None = None) -> Response:
    """`error`: what was wrong with a form of it."""
    services, user_id = visit.services, visit.session.user_id
    return visit.page(
        "account.html",
        status=error.status if error else 200,
        sessions=await services.portal_sessions.of(visit.visitor),
        places=await services.portal_sessions.places(visit.visitor),
        factor=None if user_id is None else await services.second_factors.of(user_id),
        required=await services.second_factors.required(visit.principal.organization_id),
        error=error,
    )
