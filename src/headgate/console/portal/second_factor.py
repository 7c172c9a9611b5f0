"""A visitor's second factor, from his account page: begun with the password, confirmed with a code, taken off."""

from starlette.responses import RedirectResponse, Response

from headgate.base.errors import HeadgateError, InvalidRequest
from headgate.console.portal import account
from headgate.console.portal.visit import PortalVisit


async def begin(visit: PortalVisit) -> Response:
    """Shows the secret, for an app to take up."""
    factors = visit.services.second_factors
    try:
        enrolment = await factors.begin(visit.principal, _user(visit), visit.form.exact("password"))
    except HeadgateError as error:
        return await account.page(visit, error)
    return visit.page("second_factor.html", enrolment=enrolment, error=None)


async def confirm(visit: PortalVisit) -> Response:
    """Shows the recovery codes, this once."""
    factors, user_id = visit.services.second_factors, _user(visit)
    try:
        codes = await factors.confirm(visit.principal, user_id, visit.form.one("code"), visit.session.id)
    except InvalidRequest as error:
        enrolment = await factors.begun(visit.principal, user_id)
        return visit.page("second_factor.html", status=error.status, enrolment=enrolment, error=error)
    return visit.page("recovery_codes.html", codes=codes, there=account.ACCOUNT)


async def take_off(visit: PortalVisit) -> Response:
    """From now on the password alone lets him in."""
    form, factors = visit.form, visit.services.second_factors
    try:
        await factors.take_off(visit.principal, _user(visit), form.exact("password"), form.one("code"))
    except HeadgateError as error:
        return await account.page(visit, error)
    return RedirectResponse(account.ACCOUNT, 303)


def _user(visit: PortalVisit) -> str:
    """Raises `InvalidRequest`."""
    user_id = visit.session.user_id
    if user_id is None:
        raise InvalidRequest("Whoever comes with a key or a link has no password, and so no second factor.")
    return user_id
