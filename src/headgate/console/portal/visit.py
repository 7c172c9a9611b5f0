"""One visit to a page of the portal: whose slice it shows, what the visitor may, and how the page is written."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from headgate.base.errors import Forbidden, HeadgateError, Unauthenticated, Unavailable
from headgate.console.csrf import csrf_of, is_ours, masked
from headgate.console.form import EMPTY, Form, audited, form_of, require_own_origin
from headgate.console.secured import may_be_framed
from headgate.console.time_range import TimeRange, as_typed, time_range
from headgate.console.visit import Console, Endpoint
from headgate.controlplane.services import Services
from headgate.dataplane.inside import Inside
from headgate.tenancy.policy import Policy
from headgate.tenancy.portal_session import PortalSession
from headgate.tenancy.portal_visitor import Visitor
from headgate.tenancy.principal import Principal

COOKIE: Final = "headgate_portal"
HOME: Final = "/portal"
SIGN_IN: Final = "/portal/sign-in"


class Site:
    """What all pages share. `inside` makes the calls: the models and limits that a page shows are those that a program
    of the tenant's would be told."""

    def __init__(self, console: Console, inside: Inside) -> None:
        self.console = console
        self.inside = inside

    @property
    def services(self) -> Services:
        return self.console.services

    def with_cookie(
        self, request: Request, response: Response, token: str, until: int, origins: tuple[str, ...] = ()
    ) -> Response:
        """`origins`: sites that may show the portal in a frame. There a cookie is third-party: it needs TLS, and is
        kept apart for each of them."""
        secure = self.console.secure(request)
        framed = bool(origins) and secure
        response.set_cookie(
            COOKIE,
            token,
            max_age=max((until - self.services.clock.now()) // 1_000_000_000, 0),
            path=HOME,
            secure=secure,
            httponly=True,
            samesite="none" if framed else "lax",
        )
        if framed:
            name, value = response.raw_headers[-1]
            response.raw_headers[-1] = (name, value + b"; Partitioned")
        return response


@dataclass(frozen=True)
class PortalVisit:
    """Somebody at one page."""

    site: Site
    request: Request
    visitor: Visitor
    secret: bytes
    """That its forms carry."""
    form: Form = EMPTY
    shown: TimeRange | None = None
    """Instead of the time in the address."""

    @cached_property
    def csrf(self) -> str:
        """The secret as this page has it."""
        return masked(self.secret, self.site.console.random_bytes)

    @property
    def principal(self) -> Principal:
        return self.visitor.principal

    @property
    def session(self) -> PortalSession:
        return self.visitor.session

    @property
    def services(self) -> Services:
        return self.site.services

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query_params

    @property
    def url(self) -> str:
        """Where programs reach the gateway."""
        return self.site.console.url.rstrip("/")

    @cached_property
    def time(self) -> TimeRange:
        return self.shown or time_range(self.query, self.services.clock.now(), self.visitor.time_zone)

    def forgiving(self) -> "PortalVisit":
        """The same, of whom it is no matter that the time he typed is none."""
        return replace(self, shown=as_typed(self.query, self.services.clock.now(), self.visitor.time_zone))

    @property
    def navigation(self) -> list[tuple[str, str]]:
        """Name and path of the pages that he may open."""
        visitor = self.visitor
        pages = (
            ("Overview", HOME, True),
            ("Limits", f"{HOME}/limits", True),
            ("API keys", f"{HOME}/keys", visitor.reads_keys),
            ("Models", f"{HOME}/models", True),
            ("Requests", f"{HOME}/requests", visitor.portal.request_log),
            ("Playground", f"{HOME}/playground", visitor.plays),
            ("Get started", f"{HOME}/start", True),
        )
        return [(name, path) for name, path, open_to_him in pages if open_to_him]

    def own(self, scope: str) -> dict[str, str]:
        """Filters for the calls he may see: all of the tenant's, or those of the key he came with."""
        key_id = self.session.key_id
        return {} if self.visitor.sees(scope) or key_id is None else {"api_key_ids": key_id}

    def link(self, path: str, **query: str | int) -> str:
        """To a page about the same time."""
        return f"{path}?{urlencode({**self.time.query(), **query})}"

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """In a frame only where the organization allows the site."""
        may_be_framed(self.request, self.visitor.framed_by)
        return self.site.console.page(self.request, f"portal/{template}", status=status, visit=self, **values)

    async def policy(self) -> Policy:
        """What holds for his calls."""
        return await self.services.portal_sessions.policy(self.visitor)

    async def told(self, path: str) -> Any:
        """What the data plane tells a program of the tenant at this path. Raises `Unavailable` where it does not."""
        async with self.site.inside.call(await self.policy(), "GET", path) as call:
            body = await call.answer.json()
        if call.answer.status != 200:
            raise Unavailable(str(body["error"]["message"]))
        return body


PortalPage = Callable[[PortalVisit], Awaitable[Response]]
Allowed = Callable[[Visitor], bool]


def anybody(visitor: Visitor) -> bool:
    """Whoever is inside."""
    return True


def entered(site: Site, page: PortalPage, allowed: Allowed = anybody, *, leaving: bool = False) -> Endpoint:
    """A page for visitors to whom it is open; a form only from a page of the same session, and from an operator who
    looks around only the one that is `leaving`. Whoever is not inside is asked to come in."""

    async def endpoint(request: Request) -> Response:
        token = request.cookies.get(COOKIE, "")
        try:
            visitor = await site.services.portal_sessions.visitor(token)
        except Unauthenticated:
            if request.method != "GET":
                raise
            there = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"{SIGN_IN}?next={quote(there)}", 303)
        visit = PortalVisit(site, request, visitor, csrf_of(token))
        try:
            if request.method == "POST":
                visit = await _sent(visit)
                if visitor.read_only and not leaving:
                    raise Forbidden("You look at what this customer sees. Nothing can be changed from here.")
            if not allowed(visitor):
                raise Forbidden("This page is not open to you. Ask your administrator.")
            return await page(visit)
        except HeadgateError as error:
            return visit.page("error.html", status=error.status, error=error)

    return endpoint


async def _sent(visit: PortalVisit) -> PortalVisit:
    """With the form. Raises `Forbidden` for one that no page of this session sent."""
    require_own_origin(visit.request, visit.site.console.url)
    form = await form_of(visit.request)
    if not is_ours(form.one("csrf"), visit.secret):
        raise Forbidden("This form is from another session. Open its page again.", code="stale_form")
    principal = replace(visit.principal, origin=audited(visit.request, form))
    return replace(visit, form=form, visitor=replace(visit.visitor, principal=principal))
