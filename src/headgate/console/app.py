"""The console as an ASGI application, at `/console`: its routes, and the headers of every answer."""

import os

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from headgate.base.errors import HeadgateError, MethodNotAllowed, NotFound
from headgate.base.ids import RandomBytes
from headgate.console.live import IDLE, Live
from headgate.console.pages import PAGES
from headgate.console.password import Password
from headgate.console.secured import AsgiApp, Secured
from headgate.console.sign_in import SignIn
from headgate.console.sign_in import inside as to_page
from headgate.console.sign_on import SignOn
from headgate.console.visit import HOME, Console, Refusals, entered
from headgate.controlplane.services import Services
from headgate.dataplane.inside import Inside


def create_console(
    services: Services,
    refusals: Refusals,
    url: str,
    random_bytes: RandomBytes = os.urandom,
    live: Live = IDLE,
    inside: Inside | None = None,
) -> AsgiApp:
    """`refusals`: how many calls were refused, by endpoint, status and code. `url` is where people reach Headgate.
    `inside` says where a call would go; without, nothing is routed here."""
    console = Console(services, refusals, url, live, inside, random_bytes)
    doors, password = SignIn(console), Password(console)
    sign_on = SignOn(console, HOME, to_page, doors.let_in, doors.refused)
    routes = [
        Route(f"{HOME}/sign-in", doors.show, methods=["GET"]),
        Route(f"{HOME}/sign-in", doors.enter, methods=["POST"]),
        Route(f"{HOME}/sign-on", sign_on.begin, methods=["GET"]),
        Route(f"{HOME}/sign-on/callback", sign_on.back, methods=["GET"]),
        Route(f"{HOME}/sign-in/code", doors.enter_with_code, methods=["POST"]),
        Route(f"{HOME}/sign-in/enrol", doors.enrolling.confirm, methods=["POST"]),
        Route(f"{HOME}/password", password.forgot, methods=["GET"]),
        Route(f"{HOME}/password", password.ask, methods=["POST"]),
        Route(f"{HOME}/password/new", password.new, methods=["GET"]),
        Route(f"{HOME}/password/new", password.choose, methods=["POST"]),
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
    return Secured(Starlette(routes=routes, exception_handlers=handlers), services.clock, console.secure, random_bytes)


async def _home(request: Request) -> Response:
    return RedirectResponse(HOME, 308)
