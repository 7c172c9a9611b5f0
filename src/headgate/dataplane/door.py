"""The one port: calls go to the data plane, everything else to the control plane, and two paths tell how things are."""

import json
from collections.abc import Awaitable, Callable
from typing import Final

from headgate.dataplane.app import DataPlane
from headgate.dataplane.asgi import Receive, Scope, Send

App = Callable[[Scope, Receive, Send], Awaitable[None]]
Trouble = Callable[[], str | None]
"""Why no call can be taken now; None if calls can."""

HEALTH: Final = "/healthz"
READINESS: Final = "/readyz"


class Door:
    """An ASGI application. `/healthz`: the process lives. `/readyz`: it takes calls, or 503 and why not."""

    def __init__(self, data_plane: DataPlane, control_plane: App, trouble: Trouble) -> None:
        self._data_plane = data_plane
        self._control_plane = control_plane
        self._trouble = trouble

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        if scope["type"] != "http":
            await self._control_plane(scope, receive, send)
        elif self._data_plane.handles(path):
            await self._data_plane(scope, receive, send)
        elif path == HEALTH:
            await _tell(send, 200, {"status": "ok"})
        elif path == READINESS:
            trouble = self._trouble()
            await _tell(send, 200 if trouble is None else 503, {"status": trouble or "ready"})
        else:
            await self._control_plane(scope, receive, send)


async def _tell(send: Send, status: int, document: dict[str, str]) -> None:
    body = json.dumps(document).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send(
        {"type": "http.response.start", "status": status, "headers": [*headers, (b"cache-control", b"no-store")]}
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})
