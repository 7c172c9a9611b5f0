"""Who is calling: the credential of a request, before anything else of it is read."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from headgate.base.errors import InvalidRequest, Unauthenticated
from headgate.controlplane.services import Services
from headgate.tenancy import keys
from headgate.tenancy.principal import Principal

HEADERS: Final = ("x-portkey-api-key", "x-api-key", "authorization", "x-goog-api-key")
PLACEHOLDER: Final = "OPENAI_API_KEY"
"""What an SDK sends beside the real credential: never one itself."""


class AuthenticatedRoute(APIRoute):
    """Knows its caller before it reads the body, and on the endpoint that was routed to."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def authenticated(request: Request) -> Response:
            policy = await services_of(request).directory.authenticate(credential(request))
            request.state.principal = Principal.of(policy)
            return await handle(request)

        return authenticated


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
    services: Services = request.app.state.services
    return services


def principal_of(request: Request) -> Principal:
    principal: Principal = request.state.principal
    return principal


def needs(*scopes: str) -> Any:
    """The caller, if it has one of the scopes; a route declares it as the type of its `principal`."""

    def check(request: Request) -> Principal:
        principal = principal_of(request)
        principal.require(*scopes)
        return principal

    return Depends(check)


WithServices = Annotated[Services, Depends(services_of)]
Caller = Annotated[Principal, Depends(principal_of)]
"""For routes whose scope depends on what is asked for: they check it themselves."""
