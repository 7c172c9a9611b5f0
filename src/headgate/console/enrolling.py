"""Setting up a second factor on the way in, where the organization requires one and the password was right."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response

from headgate.base.errors import HeadgateError, InvalidRequest
from headgate.console.form import EMPTY, audited, form_of, require_own_origin
from headgate.console.visit import Console
from headgate.tenancy.origin import Origin
from headgate.tenancy.second_factors import Enrolment
from headgate.tenancy.user import User

LetIn = Callable[[Request, User, Response, Origin], Awaitable[Response]]
"""Opens a session for him, and puts its cookie on the answer."""
Refused = Callable[[Request, str, HeadgateError], Response]
"""The sign-in page, with what was wrong."""


class Enrolling:
    """At either site. `folder` is where its templates are; `inside` makes a page of the site of whatever was asked
    for."""

    def __init__(
        self, console: Console, folder: str, inside: Callable[[str], str], let_in: LetIn, refused: Refused
    ) -> None:
        self._console = console
        self._folder = folder
        self._inside = inside
        self._let_in = let_in
        self._refused = refused

    async def begin(self, request: Request, ticket: str, there: str, origin: Origin) -> Response:
        """The secret, for an app to take up, and the form that confirms it."""
        enrolment = await self._console.services.second_factors.begin_with(ticket, origin)
        return self._shown(request, ticket, there, enrolment)

    async def confirm(self, request: Request) -> Response:
        """The recovery codes, this once. He is inside then, but for who has no place there: the codes are his all the
        same."""
        require_own_origin(request, self._console.url)
        form = await form_of(request)
        origin, factors = audited(request, EMPTY), self._console.services.second_factors
        there, ticket = self._inside(form.one("next")), form.one("ticket")
        try:
            user, codes = await factors.confirm_with(ticket, form.one("code"), origin)
        except InvalidRequest as error:
            return self._shown(request, ticket, there, await factors.begun_with(ticket, origin), error)
        except HeadgateError as error:
            return self._refused(request, there, error)
        response = self._console.page(request, f"{self._folder}recovery_codes.html", codes=codes, there=there)
        with suppress(HeadgateError):
            response = await self._let_in(request, user, response, origin)
        return response

    def _shown(
        self, request: Request, ticket: str, there: str, enrolment: Enrolment, error: HeadgateError | None = None
    ) -> Response:
        return self._console.page(
            request,
            f"{self._folder}enrol.html",
            status=error.status if error else 200,
            ticket=ticket,
            there=there,
            enrolment=enrolment,
            error=error,
        )
