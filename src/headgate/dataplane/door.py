"""The one port: calls go to the data plane, people to console and portal, the rest to the control plane, and three
paths tell how things are."""

import json
from collections.abc import Awaitable, Callable
from typing import Final

from headgate.dataplane.app import DataPlane
from headgate.dataplane.asgi import Message, Receive, Scope, Send, routed_path
from headgate.dataplane.exchange import too_large
from headgate.dataplane.proxies import Proxies

App = Callable[[Scope, Receive, Send], Awaitable[None]]
Trouble = Callable[[], str | None]
"""Why no call can be taken now; None if calls can."""

HEALTH: Final = "/healthz"
READINESS: Final = "/readyz"
METRICS: Final = "/metrics"
CONSOLE: Final = "/console"
PORTAL: Final = "/portal"


class Door:
    """An ASGI application. `/healthz`: the process lives. `/readyz`: it takes calls, or 503 and why not.
    `/metrics`: figures for those who run it.

    The gateway's own server goes to the `data_plane` directly; under another one, its paths are served here too.
    `body_limit` bounds what the others read of one request, in bytes; the data plane bounds its own. `proxies` may
    say whom a request came from.
    """

    def __init__(
        self,
        data_plane: DataPlane,
        control_plane: App,
        console: App,
        portal: App,
        metrics: App,
        trouble: Trouble,
        body_limit: int,
        proxies: Proxies,
    ) -> None:
        self.data_plane = data_plane
        self._control_plane = control_plane
        self._console = console
        self._portal = portal
        self._metrics = metrics
        self._trouble = trouble
        self._body_limit = body_limit
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._control_plane(scope, receive, send)
            return
        path = routed_path(scope)
        if self.data_plane.handles(path):
            await self.data_plane(scope, receive, send)
        elif path == HEALTH:
            await _tell(send, 200, {"status": "ok"})
        elif path == READINESS:
            trouble = self._trouble()
            await _tell(send, 200 if trouble is None else 503, {"status": trouble or "ready"})
        elif path == METRICS:
            await self._metrics(scope, receive, send)
        else:
            await self._behind(path)(self._proxies.seen(scope), _bounded(receive, self._body_limit), send)

    def _behind(self, path: str) -> App:
        if path == CONSOLE or path.startswith(f"{CONSOLE}/"):
            return self._console
        if path == PORTAL or path.startswith(f"{PORTAL}/"):
            return self._portal
        return self._control_plane


def _bounded(receive: Receive, limit: int) -> Receive:
    """Raises `TooLarge` where the body goes on beyond the limit: a chunked one announces no length."""
    size = 0

    async def bounded() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > limit:
            raise too_large(limit)
        return message

    return bounded


async def _tell(send: Send, status: int, document: dict[str, str]) -> None:
    body = json.dumps(document).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send(
        {"type": "http.response.start", "status": status, "headers": [*headers, (b"cache-control", b"no-store")]}
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})
