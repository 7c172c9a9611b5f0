"""The exchange straight on the client's connection: no messages in between, and one write for a whole answer."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, Protocol

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from headgate.base.errors import TimedOut
from headgate.base.header_lines import header_lines
from headgate.dataplane.exchange import ClientGone, ClientStalled, Exchange, refuse_encoded, too_large
from headgate.dataplane.head import Target
from headgate.dataplane.turn import HIGH_WATER

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_BODILESS: Final = (204, 304)


class Line(Protocol):
    """The client's connection, as an exchange needs it."""

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    flow: FlowControl
    stalled: bool
    """It was closed by the server, because the client took nothing for too long."""

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]:
        """The server's own: the date."""
        ...

    def answered(self) -> None:
        """The answer has been handed to the transport whole."""
        ...


class DirectExchange:
    """Implements `Exchange` and `Turn`."""

    __slots__ = (
        "_answer",
        "_callbacks",
        "_expects_continue",
        "_first",
        "_head",
        "_headers",
        "_limit",
        "_line",
        "_parts",
        "_size",
        "_unframed",
        "_waiter",
        "complete",
        "gone",
        "header",
        "http_version",
        "keep_alive",
        "method",
        "path",
        "query",
        "started",
        "whole",
    )

    def __init__(
        self,
        line: Line,
        answer: Callable[[Exchange], Coroutine[Any, Any, None]],
        method: str,
        target: Target,
        http_version: str,
        headers: list[tuple[bytes, bytes]],
        *,
        keep_alive: bool,
        expects_continue: bool,
    ) -> None:
        self.method = method
        self.path = target.path
        self.query = target.query.decode("latin-1")
        self.http_version = http_version
        self.keep_alive = keep_alive
        self.whole = self.started = self.complete = self.gone = False
        self._line = line
        self._answer = answer
        self._headers = headers
        self._first = first = dict(reversed(headers))
        self.header: Callable[[bytes], bytes | None] = first.get
        """Looked up some fifteen times a call: the dictionary's own method, with nothing around it."""
        self._expects_continue = expects_continue
        self._parts: list[bytes] = []
        self._size = 0
        self._limit = HIGH_WATER
        self._waiter: asyncio.Future[None] | None = None
        self._head = b""
        """What of the answer waits to go out with the next write."""
        self._unframed = method == "HEAD"
        """The answer has no body, whatever is written."""
        self._callbacks: list[Callable[[], None]] = []

    def run(self) -> Coroutine[Any, Any, None]:
        return self._answer(self)

    # What comes in

    def headers_all(self, name: bytes) -> list[bytes]:
        return [value for found, value in self._headers if found == name] if name in self._first else []

    async def body(self, limit: int, deadline_s: float) -> bytes:
        refuse_encoded(self)
        declared = self.header(b"content-length")
        if declared is not None and int(declared) > limit:
            raise too_large(limit)
        self._limit = limit
        if not self.whole and not self.gone and self._size <= limit:
            await self._arrival(deadline_s)
        if self.gone:
            raise self._departure()
        if self._size > limit:
            raise too_large(limit)
        if not self.whole:
            raise TimedOut(f"The request's body did not arrive within {deadline_s:g} seconds.")
        parts, self._parts = self._parts, []
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _arrival(self, deadline_s: float) -> None:
        """Return when the body is whole or too large, the client gone, or the time up."""
        line = self._line
        if self._expects_continue and not line.transport.is_closing():
            line.transport.write(_CONTINUE)
        line.flow.resume_reading()
        self._waiter = line.loop.create_future()
        timer = line.loop.call_later(deadline_s, self._wake)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def feed(self, data: bytes) -> None:
        self._parts.append(data)
        self._size += len(data)
        if self._size > self._limit:
            self._line.flow.pause_reading()
            self._wake()

    def arrived(self) -> None:
        self.whole = True
        self._wake()

    # What goes out

    async def start(self, status: int, headers: Sequence[tuple[bytes, bytes]], lines: bytes = b"") -> None:
        self._unframed = self._unframed or status in _BODILESS
        framing = b"" if self._unframed else b"transfer-encoding: chunked\r\n"
        self._head = self._render(status, headers, lines + framing)
        if self.gone:
            raise self._departure()
        self.started = True

    async def write(self, data: bytes) -> None:
        head, self._head = self._head, b""
        await self._send(head if self._unframed or not data else b"%b%x\r\n%b\r\n" % (head, len(data), data))

    def push(self, data: bytes) -> bool:
        line = self._line
        if not self.started or self._head or self._unframed or not data:
            return False
        if line.flow.write_paused or self.gone or line.transport.is_closing():
            return False
        line.transport.write(b"%x\r\n%b\r\n" % (len(data), data))
        return True

    async def end(self) -> None:
        await self._send(self._head if self._unframed else self._head + b"0\r\n\r\n")
        self._done()

    async def respond(
        self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes, lines: bytes = b""
    ) -> None:
        head = self._render(status, headers, b"%bcontent-length: %d\r\n" % (lines, len(body)))
        if self.gone:
            raise self._departure()
        self.started = True
        await self._send(head if self._unframed else head + body)
        self._done()

    def _render(self, status: int, headers: Sequence[tuple[bytes, bytes]], lines: bytes) -> bytes:
        self.keep_alive = self.keep_alive and self.whole  # an early answer ends the connection, and says so
        last = b"" if self.keep_alive else b"connection: close\r\n"
        checked = header_lines([*self._line.default_headers, *headers])
        return b"%b%b%b%b\r\n" % (STATUS_LINE[status], checked, lines, last)

    async def _send(self, data: bytes) -> None:
        line = self._line
        if line.flow.write_paused:
            await line.flow.drain()
        if self.gone or line.transport.is_closing():
            raise self._departure()
        line.transport.write(data)

    def _done(self) -> None:
        self.complete = True
        self._callbacks.clear()
        self._line.answered()

    # Who leaves

    def on_gone(self, callback: Callable[[], None]) -> None:
        if self.gone:
            callback()
        else:
            self._callbacks.append(callback)

    def hang_up(self) -> None:
        self.gone = True
        self._wake()
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def _departure(self) -> ClientGone:
        self.gone = True
        if self._line.stalled:
            return ClientStalled("the client stopped taking its answer")
        return ClientGone("the client has hung up")


class Calls(Protocol):
    """What is served directly: `dataplane.app.DataPlane`."""

    def handles(self, path: str) -> bool: ...

    def answer(self, exchange: Exchange) -> Coroutine[Any, Any, None]: ...
