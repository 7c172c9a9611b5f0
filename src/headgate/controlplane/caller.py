"""Who is calling: the credential of a request, before anything else of it is read."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from headgate.base.errors import InvalidRequest, Unauthenticated
from headgate.controlplane.once import once
from headgate.controlplane.origin import body_type, origin_of
from headgate.controlplane.services import Services
from headgate.tenancy import keys
from headgate.tenancy.idempotency import HEADER as IDEMPOTENCY_KEY
from headgate.tenancy.principal import Principal

HEADERS: Final = ("x-portkey-api-key", "x-api-key", "authorization", "x-goog-api-key")
PLACEHOLDER: Final = "OPENAI_API_KEY"
"""What an SDK sends beside the real credential: never one itself."""


class AuthenticatedRoute(APIRoute):
    """Knows its caller, and that he may be here, before it reads the body, and on the endpoint that was routed to."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        declared = [each.call for each in self.dependant.dependencies if isinstance(each.call, Needs | Chooses)]
        required = [each.scopes for each in declared if each.scopes]
        body = None if self.body_field is None else body_type(self.body_field.field_info.annotation)

        async def authenticated(request: Request) -> Response:
            services = services_of(request)
            policy = await services.directory.authenticate(credential(request))
            principal = request.state.principal = Principal.of(policy)
            if request.method == "GET":
                return await handle(request)
            for scopes in required:
                principal.require(*scopes)
            request.state.principal = replace(principal, origin=await origin_of(request, body))
            key = request.headers.get(IDEMPOTENCY_KEY)
            if key is None or request.method != "POST":
                return await handle(request)
            return await once(services.idempotency, request, key, handle)

        return authenticated


class Needs:
    """A dependency that gives the caller, if he has one of the scopes."""

    def __init__(self, *scopes: str) -> None:
        self.scopes = scopes

    def __call__(self, request: Request) -> Principal:
        principal = principal_of(request)
        principal.require(*self.scopes)
        return principal


class Chooses:
    """A dependency that gives the caller. Which of the scopes it needs depends on what it asks for, and the route
    checks that; without scopes every caller may."""

    def __init__(self, *scopes: str) -> None:
        self.scopes = scopes

    def __call__(self, request: Request) -> Principal:
        return principal_of(request)


class OpenTo:
    """A dependency that checks nothing: the route is open, without a key, to everybody who has what `to` says."""

    def __init__(self, to: str) -> None:
        self.to = to

    def __call__(self) -> None:
        return None


def needs(*scopes: str) -> Any:
    """The caller, if it has one of the scopes; a route declares it as the type of its `principal`."""
    return Depends(Needs(*scopes))


def chooses(*scopes: str) -> Any:
    """The caller; the route itself checks that it has the one of the scopes that goes with what is asked for."""
    return Depends(Chooses(*scopes))


def credential(request: Request) -> str:
    """The first that is there, in the order of `HEADERS`. Raises `Unauthenticated`, or `InvalidRequest` where a
    second, different API key of ours comes with it."""
    found = [value for header in HEADERS for value in _values(request, header)]
    if not found:
        raise Unauthenticated("No API key. Send it as `x-portkey-api-key` or `Authorization: Bearer <key>`.")
    if any(other != found[0] and keys.parse(other) is not None for other in found[1:]):
        raise InvalidRequest("This request carries two different API keys. Send one.", code="two_api_keys")
    return found[0]


def _values(request: Request, header: str) -> list[str]:
    values = [value.strip() for value in request.headers.getlist(header)]
    if header == "authorization":
        values = [value[7:].strip() for value in values if value[:7].lower() == "bearer "]
    return [value for value in values if value and value != PLACEHOLDER]


def services_of(request: Request) -> Services:
    services: Services = request.scope["headgate.services"]
    return services


def principal_of(request: Request) -> Principal:
    principal: Principal = request.state.principal
    return principal


WithServices = Annotated[Services, Depends(services_of)]
