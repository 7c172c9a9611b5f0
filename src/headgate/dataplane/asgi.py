"""The exchange over bare ASGI: for the data plane as a part of another application, under any server or in process.

ASGI's `send` never says that the client has left; only a pending `receive` does, so one is kept while the answer is
under way. The gateway's own server needs none of this: see `direct.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from headgate.base.errors import TimedOut
from headgate.base.header_lines import header_pairs
from headgate.dataplane.exchange import ClientGone, refuse_encoded, too_large

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def routed_path(scope: Scope) -> str:
    """The path below the one the application is mounted at."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path.removeprefix(root) if path.startswith(f"{root}/") else path


class AsgiExchange:
    """Implements `Exchange`. One per ASGI call; `close` it at the end. A client that leaves is noticed once the body
    has been read, as soon as the server tells."""

    __slots__ = (
        "_callbacks",
        "_complete",
        "_headers",
        "_receive",
        "_send",
        "_watcher",
        "gone",
        "http_version",
        "method",
        "path",
        "query",
        "started",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.method: str = scope["method"]
        self.path = routed_path(scope)
        self.query: str = scope["query_string"].decode("latin-1")
        self.http_version: str = scope["http_version"]
        self._headers: list[tuple[bytes, bytes]] = scope["headers"]
        self._receive = receive
        self._send = send
        self._callbacks: list[Callable[[], None]] = []
        self._watcher: asyncio.Task[None] | None = None
        self._complete = False
        self.started = False
        self.gone = False

    def header(self, name: bytes) -> bytes | None:
        for found, value in self._headers:
            if found == name:
                return value
        return None

    def headers_all(self, name: bytes) -> list[bytes]:
        return [value for found, value in self._headers if found == name]

    async def body(self, limit: int, deadline_s: float) -> bytes:
        refuse_encoded(self)
        declared = self.header(b"content-length")
        if declared is not None and int(declared) > limit:
            raise too_large(limit)
        try:
            async with asyncio.timeout(deadline_s):
                body = await self._read(limit)
        except TimeoutError:
            raise TimedOut(f"The request's body did not arrive within {deadline_s:g} seconds.") from None
        self._watcher = asyncio.get_running_loop().create_task(self._watch())
        return body

    async def _read(self, limit: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._hung_up()
                raise ClientGone("the client has hung up")
            part: bytes = message.get("body", b"")
            size += len(part)
            if size > limit:
                raise too_large(limit)
            parts.append(part)
            if not message.get("more_body", False):
                return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _watch(self) -> None:
        message = await self._receive()
        if message["type"] == "http.disconnect" and not self._complete:
            self._hung_up()

    async def start(self, status: int, headers: Sequence[tuple[bytes, bytes]], lines: bytes = b"") -> None:
        if self.gone:
            raise ClientGone("the client has hung up")
        self.started = True
        await self._send({"type": "http.response.start", "status": status, "headers": [*headers, *header_pairs(lines)]})

    async def write(self, data: bytes) -> None:
        await self._body(data, more=True)

    def push(self, data: bytes) -> bool:
        return False  # ASGI only ever waits

    async def end(self) -> None:
        await self._body(b"", more=False)

    async def respond(
        self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes, lines: bytes = b""
    ) -> None:
        await self.start(status, [*headers, (b"content-length", b"%d" % len(body))], lines)
        await self._body(body, more=False)

    async def _body(self, data: bytes, *, more: bool) -> None:
        if self.gone:
            raise ClientGone("the client has hung up")
        self._complete = not more
        await self._send({"type": "http.response.body", "body": data, "more_body": more})
        if more:
            await asyncio.sleep(0)  # let the watcher have its word: to send to nobody takes no time
        if self.gone:
            raise ClientGone("the client has hung up")

    def on_gone(self, callback: Callable[[], None]) -> None:
        if self.gone:
            callback()
        else:
            self._callbacks.append(callback)

    def _hung_up(self) -> None:
        self.gone = True
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def close(self) -> None:
        """The call is over: nobody waits for news of the client any more."""
        if self._watcher is not None:
            self._watcher.cancel()
