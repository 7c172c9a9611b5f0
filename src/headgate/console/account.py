"""One's own sessions, password and place."""

from starlette.responses import RedirectResponse, Response

from headgate.base.errors import HeadgateError
from headgate.console.visit import COOKIE, HOME, SIGN_IN, Visit

ACCOUNT = f"{HOME}/account"


async def show(visit: Visit) -> Response:
    """Where he has signed in."""
    return await page(visit)


async def end_session(visit: Visit) -> Response:
    """Sign out: here, or elsewhere."""
    session_id = visit.form.one("session") or visit.signed.session.id
    await visit.services.sessions.end(visit.signed, session_id)
    if session_id != visit.signed.session.id:
        return RedirectResponse(ACCOUNT, 303)
    response = RedirectResponse(SIGN_IN, 303)
    response.delete_cookie(COOKIE, path=HOME)
    return response


async def end_others(visit: Visit) -> Response:
    """Everywhere else."""
    await visit.services.sessions.end_others(visit.signed)
    return RedirectResponse(ACCOUNT, 303)


async def change_password(visit: Visit) -> Response:
    """His other sessions end."""
    before, after = visit.form.exact("before"), visit.form.exact("after")
    try:
        await visit.services.sessions.change_password(visit.signed, before, after)
    except HeadgateError as error:
        return await page(visit, error)
    return RedirectResponse(ACCOUNT, 303)


async def choose_workspace(visit: Visit) -> Response:
    """Another one of his workspaces."""
    await visit.services.sessions.choose(visit.signed, visit.form.one("workspace"))
    return RedirectResponse(HOME, 303)


async def page(visit: Visit, error: HeadgateError | None = None) -> Response:
    """`error`: what was wrong with a form of it."""
    services, user_id = visit.services, visit.signed.session.user_id
    return visit.page(
        "account.html",
        status=error.status if error else 200,
        sessions=await services.sessions.of(visit.signed),
        factor=None if user_id is None else await services.second_factors.of(user_id),
        required=await services.second_factors.required(visit.principal.organization_id),
        error=error,
    )
