"""The portal as an ASGI application, at `/portal`: the table of its pages."""

import os
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from headgate.base.errors import HeadgateError, MethodNotAllowed, NotFound
from headgate.base.ids import RandomBytes
from headgate.console.portal import account, keys, limits, models, overview, playground, requests, second_factor, start
from headgate.console.portal.doors import Doors
from headgate.console.portal.doors import inside as to_page
from headgate.console.portal.visit import HOME, Allowed, PortalPage, Site, anybody, entered
from headgate.console.secured import AsgiApp, Secured
from headgate.console.sign_on import SignOn
from headgate.console.visit import Console
from headgate.controlplane.services import Services
from headgate.dataplane.inside import Inside
from headgate.tenancy.portal_visitor import Visitor


def _reads_keys(visitor: Visitor) -> bool:
    return visitor.reads_keys


def _manages_keys(visitor: Visitor) -> bool:
    return visitor.manages_keys


def _plays(visitor: Visitor) -> bool:
    return visitor.plays


def _sees_calls(visitor: Visitor) -> bool:
    return visitor.portal.request_log


PAGES: Final[tuple[tuple[str, str, PortalPage, Allowed], ...]] = (
    ("GET", "", overview.show, anybody),
    ("GET", "/limits", limits.show, anybody),
    ("GET", "/keys", keys.listed, _reads_keys),
    ("GET", "/keys/new", keys.new, _manages_keys),
    ("POST", "/keys/new", keys.create, _manages_keys),
    ("GET", "/keys/{key}", keys.ask, _manages_keys),
    ("POST", "/keys/{key}/rotate", keys.rotate, _manages_keys),
    ("POST", "/keys/{key}/revoke", keys.revoke, _manages_keys),
    ("GET", "/models", models.listed, anybody),
    ("GET", "/requests", requests.listed, _sees_calls),
    ("GET", "/requests/{request}", requests.show, _sees_calls),
    ("GET", "/start", start.show, anybody),
    ("GET", "/playground", playground.show, _plays),
    ("POST", "/playground", playground.call, _plays),
    ("GET", "/account", account.show, anybody),
    ("POST", "/account/tenant", account.choose, anybody),
    ("POST", "/account/sessions/end", account.end_sessions, anybody),
    ("POST", "/account/second-factor", second_factor.begin, anybody),
    ("POST", "/account/second-factor/confirm", second_factor.confirm, anybody),
    ("POST", "/account/second-factor/remove", second_factor.take_off, anybody),
)
"""Method, path, page, and to whom it is open."""


def create_portal(services: Services, inside: Inside, url: str, random_bytes: RandomBytes = os.urandom) -> AsgiApp:
    """`inside` makes calls for visitors. `url` is where people and programs reach Headgate."""
    console = Console(services, dict, url, random_bytes=random_bytes)
    site = Site(console, inside)
    doors = Doors(site)
    sign_on = SignOn(console, HOME, to_page, doors.let_in, doors.refused)
    routes = [
        Route(f"{HOME}/sign-in", doors.show, methods=["GET"]),
        Route(f"{HOME}/sign-in", doors.sign_in, methods=["POST"]),
        Route(f"{HOME}/sign-in/code", doors.sign_in_with_code, methods=["POST"]),
        Route(f"{HOME}/sign-in/enrol", doors.enrolling.confirm, methods=["POST"]),
        Route(f"{HOME}/sign-on", sign_on.begin, methods=["GET"]),
        Route(f"{HOME}/sign-on/callback", sign_on.back, methods=["GET"]),
        Route(f"{HOME}/enter", doors.enter, methods=["GET"]),
        Route(f"{HOME}/sign-out", entered(site, doors.leave, leaving=True), methods=["POST"]),
        Route(f"{HOME}/theme", doors.theme, methods=["POST"]),
        *[
            Route(f"{HOME}{path}", entered(site, page, allowed), methods=[method])
            for method, path, page, allowed in PAGES
        ],
        Route(f"{HOME}/", _home, methods=["GET"]),
    ]

    async def failed(request: Request, error: Exception) -> Response:
        told = error if isinstance(error, HeadgateError) else None
        return console.page(request, "portal/error.html", status=told.status if told else 500, error=told)

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
