"""The control plane as an ASGI application, at `/v1/…` and at `/…`."""

import functools
import os
from collections.abc import Awaitable, Callable, MutableMapping
from importlib.metadata import version
from typing import Any, Final

import structlog
from fastapi import FastAPI

from headgate.base.ids import RandomBytes, call_id, request_id
from headgate.controlplane import (
    alerts,
    analytics,
    api_keys,
    audit_logs,
    cache,
    configs,
    docs,
    errors,
    exports,
    feedback,
    guardrails,
    integrations,
    invites,
    limit_policies,
    logs,
    members,
    organisation,
    portal_sessions,
    prices,
    prompts,
    providers,
    system,
    tenant_members,
    tenants,
    users,
    virtual_keys,
    webhooks,
    workspaces,
)
from headgate.controlplane.openapi import document as openapi
from headgate.controlplane.services import Services

log = structlog.get_logger("headgate.controlplane")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

ROUTERS: Final = (
    organisation.router,
    workspaces.router,
    tenants.router,
    portal_sessions.router,
    tenant_members.router,
    api_keys.router,
    integrations.router,
    providers.router,
    virtual_keys.router,
    prices.router,
    webhooks.router,
    alerts.router,
    limit_policies.usage,
    limit_policies.rates,
    configs.router,
    prompts.router,
    guardrails.router,
    invites.acceptance,
    invites.router,
    users.router,
    members.router,
    audit_logs.router,
    system.router,
    cache.router,
    feedback.graphs,
    analytics.router,
    feedback.router,
    exports.router,
    exports.files,
    logs.router,
)
JSON: Final = (b"content-type", b"application/json")
"""Bodies are JSON whatever their header says: curl calls them a form unless told otherwise."""
NO_SNIFFING: Final = (b"x-content-type-options", b"nosniff")
"""An answer is what it says it is, and markup that somebody wrote into a name is text."""


def create_app(services: Services, random_bytes: RandomBytes = os.urandom) -> AsgiApp:
    """`/docs` and `/openapi.json` are open; everything else needs an API key."""
    return _OnServices(routed(), services, random_bytes)


@functools.cache
def routed() -> FastAPI:
    """All routes, and nothing under them: enough for the document. Services come with each request, so that all
    gateways of a process have the same."""
    app = FastAPI(
        title="Headgate",
        version=version("headgate"),
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=openapi.operation_id,
    )
    openapi.install(app, ROUTERS)
    docs.install(app)
    errors.install(app)
    for router in ROUTERS:
        app.include_router(router, prefix="/v1")
        # Some clients are configured without the prefix.
        app.include_router(router, include_in_schema=False)
    return app


class _OnServices:
    """Has requests served on `services`, and puts the request's ids on every answer: an SDK sends a metered call twice
    if an error comes without."""

    def __init__(self, app: AsgiApp, services: Services, random_bytes: RandomBytes) -> None:
        self._app = app
        self._services = services
        self._clock = services.clock
        self._random_bytes = random_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        identifier = request_id(self._clock.now(), self._random_bytes)
        trace = call_id(dict(scope["headers"]).get(b"x-portkey-trace-id"), identifier)
        ours = [(b"x-portkey-trace-id", trace.encode()), (b"x-headgate-request-id", identifier.encode()), NO_SNIFFING]

        headers = [header for header in scope["headers"] if header[0] != b"content-type"]
        more = {"headers": [*headers, JSON], "headgate.request_id": identifier, "headgate.services": self._services}
        scope = {**scope, **more}

        async def traced(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *ours]
            await send(message)

        try:
            await self._app(scope, receive, traced)
        except Exception:
            # The framework has answered 500 by now and raises for whoever logs.
            log.exception("request crashed", request_id=identifier, path=scope["path"])
        return None
