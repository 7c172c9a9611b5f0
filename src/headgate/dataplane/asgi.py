"""The exchange over bare ASGI, as `server.py` serves it.

ASGI's `send` never says that the client has left; only a pending `receive` would, at the price of a task per call. So
the server's connection is in the scope's extensions, and tells directly.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Final, Protocol

from headgate.base.errors import TimedOut, TooLarge, UnsupportedMedia
from headgate.dataplane.exchange import ClientGone, ClientStalled

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

LINE: Final = "headgate.line"
"""The name of the extension under which the scope carries the client's connection."""


class Line(Protocol):
    """The client's connection."""

    stalled: bool
    """It was closed by the server, because the client took nothing for too long."""
    watcher: Callable[[], None] | None
    """Called when it is lost while the call it was set by is under way."""

    def is_closing(self) -> bool:
        """It is lost, or about to be: what is sent goes nowhere."""
        ...


class AsgiExchange:
    """Implements `Exchange`. One per ASGI call; the scope must come from `server.py`."""

    __slots__ = (
        "_callbacks",
        "_headers",
        "_line",
        "_receive",
        "_send",
        "gone",
        "http_version",
        "method",
        "path",
        "query",
        "started",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: str = scope["query_string"].decode("latin-1")
        self.http_version: str = scope["http_version"]
        self._headers: list[tuple[bytes, bytes]] = scope["headers"]
        self._receive = receive
        self._send = send
        self._callbacks: list[Callable[[], None]] = []
        self._line: Line = scope["extensions"][LINE]
        self.started = False
        self.gone = self._line.is_closing()
        self._line.watcher = self._hung_up

    def header(self, name: bytes) -> bytes | None:
        for found, value in self._headers:
            if found == name:
                return value
        return None

    def headers_all(self, name: bytes) -> list[bytes]:
        return [value for found, value in self._headers if found == name]

    async def body(self, limit: int, deadline_s: float) -> bytes:
        if any(coding.lower() != b"identity" for coding in self.headers_all(b"content-encoding")):
            raise UnsupportedMedia("Send the body without a Content-Encoding.", param="content-encoding")
        declared = self.header(b"content-length")
        if declared is not None and int(declared) > limit:
            raise _too_large(limit)
        try:
            async with asyncio.timeout(deadline_s):
                return await self._read(limit)
        except TimeoutError:
            raise TimedOut(f"The request's body did not arrive within {deadline_s:g} seconds.") from None

    async def _read(self, limit: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise self._departure()
            size += len(message["body"])
            if size > limit:
                raise _too_large(limit)
            parts.append(message["body"])
            if not message["more_body"]:
                return parts[0] if len(parts) == 1 else b"".join(parts)

    async def start(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> None:
        if self.gone:
            raise self._departure()
        self.started = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def write(self, data: bytes) -> None:
        await self._body(data, more=True)

    async def end(self) -> None:
        await self._body(b"", more=False)

    async def respond(self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> None:
        await self.start(status, [*headers, (b"content-length", b"%d" % len(body))])
        await self._body(body, more=False)

    async def _body(self, data: bytes, *, more: bool) -> None:
        if self.gone or self._line.is_closing():
            raise self._departure()
        await self._send({"type": "http.response.body", "body": data, "more_body": more})
        if self.gone and (more or self._line.stalled):
            raise self._departure()

    def on_gone(self, callback: Callable[[], None]) -> None:
        if self.gone:
            callback()
        else:
            self._callbacks.append(callback)

    async def wait_gone(self) -> None:
        left: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.on_gone(lambda: None if left.done() else left.set_result(None))
        await left

    def _hung_up(self) -> None:
        self.gone = True
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def _departure(self) -> ClientGone:
        self.gone = True
        if self._line.stalled:
            return ClientStalled("the client stopped taking its answer")
        return ClientGone("the client has hung up")


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is larger than the {limit} bytes taken here.", details={"limit_bytes": limit})
