"""Single sign-on's two pages at either site: on the way to the issuer, and back."""

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from headgate.base.errors import HeadgateError, NotFound
from headgate.console.form import EMPTY, audited
from headgate.console.visit import Console
from headgate.tenancy.origin import Origin
from headgate.tenancy.sign_on.matching import Matched
from headgate.tenancy.sign_on.service import WITHIN_S, SignOnService

COOKIE: Final = "headgate_sign_on"
LetIn = Callable[[Request, Matched, str, Origin], Awaitable[Response]]
"""Opens a session for him, and sends him to the page he wanted."""
Refused = Callable[[Request, str, HeadgateError], Response]
"""The sign-in page, with what was wrong."""


class SignOn:
    """`home` is the site's path; `inside` makes a page of the site of whatever was asked for."""

    def __init__(
        self, console: Console, home: str, inside: Callable[[str], str], let_in: LetIn, refused: Refused
    ) -> None:
        self._console = console
        self._home = home
        self._inside = inside
        self._let_in = let_in
        self._refused = refused

    async def begin(self, request: Request) -> Response:
        """To the issuer. A link and no form: a form may only lead to our own pages."""
        there = self._inside(request.query_params.get("next", ""))
        try:
            begun = await self._service().begin(self._home, there)
        except HeadgateError as error:
            return self._refused(request, there, error)
        response = RedirectResponse(begun.url, 303)
        self._set(request, response, begun.ticket, WITHIN_S)
        return response

    async def back(self, request: Request) -> Response:
        """From the issuer, with a code or an error."""
        origin, ticket = audited(request, EMPTY), request.cookies.get(COOKIE, "")
        try:
            matched, there = await self._service().finish(self._home, request.query_params, ticket, origin)
            response = await self._let_in(request, matched, self._inside(there), origin)
        except HeadgateError as error:
            response = self._refused(request, self._inside(""), error)
        self._set(request, response, "", 0)
        return response

    def _service(self) -> SignOnService:
        found = self._console.services.sign_on
        if found is None:
            raise NotFound("There is no single sign-on here. Sign in with a key or a password.")
        return found

    def _set(self, request: Request, response: Response, ticket: str, max_age: int) -> None:
        """Only for the way back: an answer to a sign-in that another browser began is none."""
        response.set_cookie(
            COOKIE,
            ticket,
            max_age=max_age,
            path=f"{self._home}/sign-on",
            secure=self._console.secure(request),
            httponly=True,
            samesite="lax",
        )
