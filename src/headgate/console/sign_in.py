"""Into the console: with a key, with a password, with an invite."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from headgate.base.errors import HeadgateError
from headgate.console.enrolling import Enrolling
from headgate.console.form import EMPTY, audited, form_of, require_own_origin
from headgate.console.visit import COOKIE, HOME, SIGN_IN, THEME, THEMES, Console
from headgate.tenancy.acceptance import Accepted
from headgate.tenancy.origin import Origin
from headgate.tenancy.second_factors import EnrolmentNeeded, SecondFactorNeeded
from headgate.tenancy.sign_on.matching import Matched
from headgate.tenancy.user import User

_A_YEAR_S = 365 * 86_400


class SignIn:
    """The pages for those who have not signed in."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.enrolling = Enrolling(console, "", inside, self._opened, self.refused)

    async def show(self, request: Request) -> Response:
        """The form."""
        there = inside(request.query_params.get("next", ""))
        return self._console.page(request, "sign_in.html", there=there, email="", error=None)

    async def enter(self, request: Request) -> Response:
        """To where he was going. What was wrong is said on the form."""
        require_own_origin(request, self._console.url)
        form = await form_of(request)
        origin, sessions = audited(request, EMPTY), self._console.services.sessions
        there = inside(form.one("next"))
        try:
            if form.one("key"):
                session, token = await sessions.sign_in_with_key(form.one("key"), origin)
            else:
                email, password = form.one("email"), form.exact("password")
                session, token = await sessions.sign_in_with_password(email, password, origin)
        except SecondFactorNeeded as needed:
            return self._console.page(request, "sign_in_code.html", there=there, ticket=needed.ticket, error=None)
        except EnrolmentNeeded as needed:
            return await self.enrolling.begin(request, needed.ticket, there, origin)
        except HeadgateError as error:
            return self._console.page(
                request, "sign_in.html", status=error.status, there=there, email=form.one("email"), error=error
            )
        return self._with_cookie(request, RedirectResponse(there, 303), token, session.expires_at)

    async def enter_with_code(self, request: Request) -> Response:
        """The second step of who has a second factor."""
        require_own_origin(request, self._console.url)
        form = await form_of(request)
        origin, services = audited(request, EMPTY), self._console.services
        there, ticket = inside(form.one("next")), form.one("ticket")
        try:
            user = await services.second_factors.user_with(ticket, form.one("code"), origin)
            session, token = await services.sessions.open_for(user, origin)
        except HeadgateError as error:
            return self._console.page(
                request, "sign_in_code.html", status=error.status, there=there, ticket=ticket, error=error
            )
        return self._with_cookie(request, RedirectResponse(there, 303), token, session.expires_at)

    async def invite(self, request: Request) -> Response:
        """The token is behind `#` in the link, so only the page's script, or whoever pastes it, can know it."""
        return self._console.page(request, "invite.html", first_name="", last_name="", error=None)

    async def accept(self, request: Request) -> Response:
        """Becomes a user, and signs him in; where keys were made for him, they are shown, this once."""
        require_own_origin(request, self._console.url)
        form = await form_of(request)
        names = {name: form.one(name) for name in ("first_name", "last_name")}
        origin, services = audited(request, EMPTY), self._console.services
        try:
            password = form.exact("password")
            made = await services.invites.accept(form.one("token"), {**names, "password": password}, origin)
        except HeadgateError as error:
            return self._console.page(request, "invite.html", status=error.status, **names, error=error)
        if password and await services.second_factors.required(made.user.organization_id):
            return self._welcomed(request, made, enrols=True)
        return await self._welcome(request, made, HOME, origin)

    async def let_in(self, request: Request, matched: Matched, there: str, origin: Origin) -> Response:
        """Whom single sign-on has shown to be a user."""
        if matched.made is not None:
            return await self._welcome(request, matched.made, there, origin)
        session, token = await self._console.services.sessions.open_for(matched.user, origin)
        return self._with_cookie(request, RedirectResponse(there, 303), token, session.expires_at)

    def refused(self, request: Request, there: str, error: HeadgateError) -> Response:
        """The form, with what was wrong."""
        return self._console.page(request, "sign_in.html", status=error.status, there=there, email="", error=error)

    async def _welcome(self, request: Request, made: Accepted, there: str, origin: Origin) -> Response:
        """For who has accepted an invite."""
        if not made.user.administers and not made.places:  # he has no page to see yet
            return self._welcomed(request, made)
        session, token = await self._console.services.sessions.open_for(made.user, origin)
        response: Response = RedirectResponse(there, 303)
        if made.keys:
            response = self._welcomed(request, made, opened=True)
        return self._with_cookie(request, response, token, session.expires_at)

    def _welcomed(self, request: Request, made: Accepted, *, opened: bool = False, enrols: bool = False) -> Response:
        customer = bool(made.tenants) and not opened and not made.user.administers and not made.places
        return self._console.page(
            request, "welcome.html", keys=made.keys, opened=opened, customer=customer, enrols=enrols
        )

    async def _opened(self, request: Request, user: User, response: Response, origin: Origin) -> Response:
        session, token = await self._console.services.sessions.open_for(user, origin)
        return self._with_cookie(request, response, token, session.expires_at)

    async def theme(self, request: Request) -> Response:
        """Light, dark, or as the system is; kept by the browser."""
        require_own_origin(request, self._console.url)
        form = await form_of(request)
        chosen = form.one("theme")
        response = RedirectResponse(inside(form.one("next")), 303)
        if chosen in THEMES:
            secure = self._console.secure(request)
            response.set_cookie(
                THEME, chosen, max_age=_A_YEAR_S, path=HOME, secure=secure, httponly=True, samesite="lax"
            )
        return response

    def _with_cookie(self, request: Request, response: Response, token: str, expires_at: int) -> Response:
        clock = self._console.services.clock
        response.set_cookie(
            COOKIE,
            token,
            max_age=(expires_at - clock.now()) // 1_000_000_000,
            path=HOME,
            secure=self._console.secure(request),
            httponly=True,
            samesite="lax",
        )
        return response


def inside(path: str) -> str:
    """A page of the console, whatever was asked for: nobody is sent to another site."""
    inside = path == HOME or path.startswith((f"{HOME}/", f"{HOME}?"))
    if not inside or path.startswith(SIGN_IN) or "\\" in path or ".." in path or any(ord(each) < 0x21 for each in path):
        return HOME
    return path
