"""Into the portal: with a link, a key or a password; and out."""

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from headgate.base.errors import HeadgateError
from headgate.console.enrolling import Enrolling
from headgate.console.form import EMPTY, audited, form_of, require_own_origin
from headgate.console.portal.visit import HOME, SIGN_IN, PortalVisit, Site
from headgate.console.secured import may_be_framed
from headgate.console.visit import HOME as CONSOLE
from headgate.console.visit import THEME, THEMES
from headgate.tenancy.origin import Origin
from headgate.tenancy.second_factors import EnrolmentNeeded, SecondFactorNeeded
from headgate.tenancy.sign_on.matching import Matched
from headgate.tenancy.user import User

_A_YEAR_S: Final = 365 * 86_400


class Doors:
    """The pages for those who are not inside, and the way out."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.enrolling = Enrolling(site.console, "portal/", inside, self._opened, self.refused)

    async def show(self, request: Request) -> Response:
        """The form."""
        there = inside(request.query_params.get("next", ""))
        return self._site.console.page(request, "portal/sign_in.html", there=there, email="", error=None)

    async def sign_in(self, request: Request) -> Response:
        """To where he was going. What was wrong is said on the form."""
        require_own_origin(request, self._site.console.url)
        form = await form_of(request)
        origin, sessions = audited(request, EMPTY), self._site.services.portal_sessions
        there = inside(form.one("next"))
        try:
            if form.one("key"):
                session, token = await sessions.enter_with_key(form.one("key"), origin)
            else:
                email, password = form.one("email"), form.exact("password")
                session, token = await sessions.enter_with_password(email, password, origin)
        except SecondFactorNeeded as needed:
            ticket = needed.ticket
            return self._site.console.page(request, "portal/sign_in_code.html", there=there, ticket=ticket, error=None)
        except EnrolmentNeeded as needed:
            return await self.enrolling.begin(request, needed.ticket, there, origin)
        except HeadgateError as error:
            return self._site.console.page(
                request, "portal/sign_in.html", status=error.status, there=there, email=form.one("email"), error=error
            )
        return self._site.with_cookie(request, RedirectResponse(there, 303), token, session.expires_at)

    async def sign_in_with_code(self, request: Request) -> Response:
        """The second step of who has a second factor."""
        require_own_origin(request, self._site.console.url)
        form = await form_of(request)
        origin, services = audited(request, EMPTY), self._site.services
        there, ticket = inside(form.one("next")), form.one("ticket")
        try:
            user = await services.second_factors.user_with(ticket, form.one("code"), origin)
            session, token = await services.portal_sessions.enter_as(user, origin)
        except HeadgateError as error:
            return self._site.console.page(
                request, "portal/sign_in_code.html", status=error.status, there=there, ticket=ticket, error=error
            )
        return self._site.with_cookie(request, RedirectResponse(there, 303), token, session.expires_at)

    async def let_in(self, request: Request, matched: Matched, there: str, origin: Origin) -> Response:
        """Whom single sign-on has shown to be a user."""
        session, token = await self._site.services.portal_sessions.enter_as(matched.user, origin)
        return self._site.with_cookie(request, RedirectResponse(there, 303), token, session.expires_at)

    def refused(self, request: Request, there: str, error: HeadgateError) -> Response:
        """The form, with what was wrong."""
        return self._site.console.page(
            request, "portal/sign_in.html", status=error.status, there=there, email="", error=error
        )

    async def _opened(self, request: Request, user: User, response: Response, origin: Origin) -> Response:
        session, token = await self._site.services.portal_sessions.enter_as(user, origin)
        return self._site.with_cookie(request, response, token, session.expires_at)

    async def enter(self, request: Request) -> Response:
        """With a link, once. It may stand in a frame of a site that the organization allows. Whoever only looks whether
        the link leads somewhere, as mail programs and browsers do ahead, does not use it up."""
        if request.method != "GET" or request.headers.get("sec-purpose", "").startswith("prefetch"):
            return Response(status_code=204)
        sessions = self._site.services.portal_sessions
        session, token = await sessions.enter_with_link(request.query_params.get("token", ""), audited(request, EMPTY))
        origins = (await sessions.visitor(token)).framed_by
        may_be_framed(request, origins)
        return self._site.with_cookie(request, RedirectResponse(HOME, 303), token, session.expires_at, origins)

    async def leave(self, visit: PortalVisit) -> Response:
        """Sign out; an operator who looked around goes back to his console."""
        await self._site.services.portal_sessions.end(visit.visitor)
        there = f"{CONSOLE}/tenants/{visit.visitor.tenant.id}" if visit.visitor.read_only else SIGN_IN
        response = RedirectResponse(there, 303)
        return self._site.with_cookie(visit.request, response, "", 0, visit.visitor.framed_by)

    async def theme(self, request: Request) -> Response:
        """Light, dark, or as the system is; kept by the browser."""
        require_own_origin(request, self._site.console.url)
        form = await form_of(request)
        chosen, response = form.one("theme"), RedirectResponse(inside(form.one("next")), 303)
        if chosen in THEMES:
            secure = self._site.console.secure(request)
            response.set_cookie(
                THEME, chosen, max_age=_A_YEAR_S, path=HOME, secure=secure, httponly=True, samesite="lax"
            )
        return response


def inside(path: str) -> str:
    """A page of the portal, whatever was asked for: nobody is sent to another site."""
    own = path == HOME or path.startswith((f"{HOME}/", f"{HOME}?"))
    if not own or path.startswith(SIGN_IN) or "\\" in path or ".." in path or any(ord(each) < 0x21 for each in path):
        return HOME
    return path
