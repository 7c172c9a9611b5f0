"""One visit to a page: who has signed in, what he may, and how the page is written."""

import gzip
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from headgate.base.errors import Forbidden, HeadgateError, Unauthenticated
from headgate.base.ids import RandomBytes
from headgate.console.csrf import csrf_of, is_ours, masked
from headgate.console.form import EMPTY, Form, audited, form_of, require_own_origin
from headgate.console.formats import FILTERS, percent
from headgate.console.live import IDLE, Live
from headgate.console.navigation import NAVIGATION, Entry
from headgate.console.qr import qr
from headgate.console.static_files import StaticFiles
from headgate.console.time_range import RANGES, TimeRange, as_typed, time_range
from headgate.controlplane.services import Services
from headgate.dataplane.inside import Inside
from headgate.tenancy.principal import Principal
from headgate.tenancy.sessions import Signed

COOKIE: Final = "headgate_session"
THEME: Final = "headgate_theme"
THEMES: Final = ("auto", "light", "dark")
HOME: Final = "/console"
SIGN_IN: Final = "/console/sign-in"
_QUICKLY: Final = 5
"""How much work gzip makes of it."""
_WORTH_PACKING: Final = 1_000
"""Bytes."""
Refusals = Callable[[], Mapping[tuple[str, str, str], int]]
"""By endpoint, status and code, since this process started."""


class Console:
    """What all pages share. `url` is where people reach Headgate."""

    def __init__(
        self,
        services: Services,
        refusals: Refusals,
        url: str,
        live: Live = IDLE,
        inside: Inside | None = None,
        random_bytes: RandomBytes = os.urandom,
    ) -> None:
        self.services = services
        self.refusals = refusals
        self.live = live
        self.inside = inside
        self.url = url
        self.random_bytes = random_bytes
        self.static = StaticFiles()
        self._templates = Environment(
            loader=PackageLoader("headgate.console"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._templates.filters |= FILTERS
        self._templates.globals |= {
            "percent": percent,
            "static": self.static,
            "qr": qr,
            "sign_on": services.sign_on is not None,
            "ranges": RANGES,
            "themes": THEMES,
        }

    def page(self, request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
        """For anybody; `Visit.page` is for who has signed in."""
        theme = request.cookies.get(THEME)
        shared = {
            "path": request.url.path,
            "came_from": urlsplit(request.headers.get("referer", "")).path,
            "theme": theme if theme in THEMES else "auto",
            "visit": None,
        }
        body = self._templates.get_template(template).render({**shared, **values}).encode()
        headers = {"vary": "accept-encoding"}
        if len(body) > _WORTH_PACKING and "gzip" in request.headers.get("accept-encoding", ""):
            body = gzip.compress(body, _QUICKLY, mtime=0)
            headers["content-encoding"] = "gzip"
        return HTMLResponse(body, status, headers)

    def secure(self, request: Request) -> bool:
        """Whether people reach us over TLS, ended here or at a proxy."""
        return request.url.scheme == "https" or self.url.startswith("https:")


@dataclass(frozen=True)
class Visit:
    """Somebody who has signed in, at one page."""

    console: Console
    request: Request
    signed: Signed
    secret: bytes
    """That its forms carry."""
    form: Form = EMPTY
    shown: TimeRange | None = None
    """Instead of the time in the address."""

    @cached_property
    def csrf(self) -> str:
        """The secret as this page has it."""
        return masked(self.secret, self.console.random_bytes)

    @property
    def principal(self) -> Principal:
        return self.signed.principal

    @property
    def services(self) -> Services:
        return self.console.services

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query_params

    @property
    def url(self) -> str:
        """Of Headgate, as this browser reaches it."""
        scheme = "https" if self.console.secure(self.request) else "http"
        return f"{scheme}://{self.request.url.netloc}"

    @cached_property
    def time(self) -> TimeRange:
        return self.shown or time_range(self.query, self.services.clock.now(), self.signed.time_zone)

    def forgiving(self) -> "Visit":
        """The same, of whom it is no matter that the time he typed is none."""
        return replace(self, shown=as_typed(self.query, self.services.clock.now(), self.signed.time_zone))

    @property
    def administers(self) -> bool:
        """The whole organization, not one workspace."""
        return self.principal.workspace_id is None

    @property
    def navigation(self) -> list[tuple[str, list[Entry]]]:
        """The groups he may see something of."""
        groups = [(name, [each for each in entries if self.may(*each.scopes)]) for name, entries in NAVIGATION]
        return [(name, entries) for name, entries in groups if entries]

    def named(self, name: str) -> str:
        """What stands in the page's path."""
        return str(self.request.path_params[name])

    def may(self, *scopes: str) -> bool:
        return not self.principal.scopes.isdisjoint(scopes)

    def link(self, path: str, **query: str | int) -> str:
        """To a page about the same time."""
        return f"{path}?{urlencode(self.time.query_with(query))}"

    @property
    def of_script(self) -> bool:
        """Whether a script asks, for a part of the page: see `wants_part`."""
        return wants_part(self.request)

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        return self.console.page(self.request, template, status=status, visit=self, **values)


def wants_part(request: Request) -> bool:
    """What a script puts into the page that is there. Going back in the history it asks for a whole page."""
    headers = request.headers
    return headers.get("hx-request") == "true" and headers.get("hx-history-restore-request") != "true"


Page = Callable[[Visit], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


def entered(console: Console, page: Page, *scopes: str) -> Endpoint:
    """A page for those who have signed in and have one of the scopes; a form only from a page of the same session.
    Whoever has not signed in is asked to, and comes back."""

    async def endpoint(request: Request) -> Response:
        token = request.cookies.get(COOKIE, "")
        try:
            signed = await console.services.sessions.signed_in(token)
        except Unauthenticated:
            if request.method != "GET":
                raise
            there = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"{SIGN_IN}?next={quote(there)}", 303)
        visit = Visit(console, request, signed, csrf_of(token))
        if request.method == "POST":
            require_own_origin(request, console.url)
            form = await form_of(request)
            if not is_ours(form.one("csrf"), visit.secret):
                raise Forbidden("This form is from another session. Open its page again.", code="stale_form")
            principal = replace(signed.principal, origin=audited(request, form))
            visit = replace(visit, form=form, signed=replace(signed, principal=principal))
        try:
            if scopes:
                visit.principal.require(*scopes)
            return await page(visit)
        except HeadgateError as error:
            return visit.page("error.html", status=error.status, error=error)

    return endpoint
