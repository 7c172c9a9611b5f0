"""The console as an ASGI application, at `/console`: its routes, and the headers of every answer."""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from headgate.base.errors import HeadgateError, MethodNotAllowed, NotFound
from headgate.base.ids import RandomBytes, request_id
from headgate.console.pages import PAGES
from headgate.console.sign_in import SignIn
from headgate.console.visit import HOME, Console, Refusals, entered
from headgate.controlplane.services import Services

log = structlog.get_logger("headgate.console")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
_HSTS: Final = (b"strict-transport-security", b"max-age=31536000")


def create_console(services: Services, refusals: Refusals, url: str, random_bytes: RandomBytes = os.urandom) -> AsgiApp:
    """`refusals`: how many calls were refused, by endpoint, status and code. `url` is where people reach Headgate."""
    console = Console(services, refusals, url)
    doors = SignIn(console)
    routes = [
        Route(f"{HOME}/sign-in", doors.show, methods=["GET"]),
        Route(f"{HOME}/sign-in", doors.enter, methods=["POST"]),
        Route(f"{HOME}/invite", doors.invite, methods=["GET"]),
        Route(f"{HOME}/invite", doors.accept, methods=["POST"]),
        Route(f"{HOME}/theme", doors.theme, methods=["POST"]),
        Route(f"{HOME}/static/{{name:path}}", console.static.__call__, methods=["GET"]),
        *[
            Route(f"{HOME}{path}", entered(console, page, *scopes), methods=[method])
            for method, path, page, scopes in PAGES
        ],
        Route(f"{HOME}/", _home, methods=["GET"]),
    ]

    async def failed(request: Request, error: Exception) -> Response:
        told = error if isinstance(error, HeadgateError) else None
        return console.page(request, "error.html", status=told.status if told else 500, error=told)

    async def unrouted(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        absent = NotFound("There is no such page.")
        return await failed(
            request, absent if error.status_code == 404 else MethodNotAllowed("This page is not for that method.")
        )

    handlers = {HeadgateError: failed, HTTPException: unrouted, Exception: failed}
    return _Secured(Starlette(routes=routes, exception_handlers=handlers), console, random_bytes)


async def _home(request: Request) -> Response:
    return RedirectResponse(HOME, 308)


class _Secured:
    """Puts the headers on every answer, whatever it is."""

    def __init__(self, app: AsgiApp, console: Console, random_bytes: RandomBytes) -> None:
        self._app = app
        self._console = console
        self._random_bytes = random_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        identifier = request_id(self._console.services.clock.now(), self._random_bytes)
        scope = {**scope, "headgate.request_id": identifier}
        ours = [*HEADERS, (b"x-headgate-request-id", identifier.encode())]
        if self._console.secure(Request(scope)):
            ours.append(_HSTS)

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                named = {name for name, _ in message["headers"]}
                kept = [] if b"cache-control" in named else [(b"cache-control", b"no-store")]
                message["headers"] = [*message["headers"], *kept, *ours]
            await send(message)

        try:
            await self._app(scope, receive, secured)
        except Exception:
            # The framework has answered 500 by now and raises for whoever logs.
            log.exception("page crashed", request_id=identifier, path=scope["path"])
