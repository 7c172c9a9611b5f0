"""The client's connection: what HTTP leaves to taste is decided here, before anything is routed.

uvicorn parses with httptools, which refuses the known smuggling framings but takes a megabyte of header, a missing or
doubled Host, and all the time in the world. This protocol adds the bounds and the clocks, and answers what it refuses
in the data plane's own words. An HTTP/1.0 client that asks for a stream gets it chunked: the proxies that still speak
1.0 upstream understand it, and would otherwise get no stream at all.
"""

import asyncio
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from headgate.base.clock import Clock
from headgate.base.errors import HeadersTooLarge, HeadgateError, InvalidRequest, TimedOut, TooLarge, Unavailable
from headgate.base.ids import request_id
from headgate.dataplane.asgi import LINE
from headgate.dataplane.head import check_head
from headgate.wire.errors import openai_body

log = logging.getLogger("headgate.edge")


@dataclass(frozen=True, slots=True)
class EdgeLimits:
    """Bytes, counts and seconds of one client connection, and how many there may be."""

    head: int = 64 * 1024
    headers: int = 100
    body: int = 32 * 1024 * 1024
    """What a Content-Length may announce; what is read is bounded by the pipeline."""
    head_s: float = 10
    """From the first byte of a request to the end of its head."""
    body_s: float = 120
    """From the end of its head to the end of its body, whoever reads it; the pipeline's own deadline is shorter."""
    idle_s: float = 75
    """Between requests, and before the first."""
    write_s: float = 30
    """How long a client may leave a full send buffer untouched before it is cut off."""
    linger_s: float = 2
    """How long the rest of a refused request is read and thrown away, so that the refusal is not lost to a reset."""
    connections: int = 10_000
    pipelined: int = 16
    """Requests that may wait on one connection behind the one being answered."""


class EdgeConfig(uvicorn.Config):
    """uvicorn's configuration, with our bounds beside it."""

    limits: EdgeLimits
    clock: Clock


class EdgeProtocol(HttpToolsProtocol):
    """One client connection. Implements `asgi.Line`."""

    config: EdgeConfig

    def __init__(
        self,
        config: EdgeConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = config.limits
        self._at: Literal["rest", "head", "body"] = "rest"
        self._barren = 0
        """Bytes in a row that were neither a complete head nor body."""
        self.refused = False
        """Nothing more is taken from this client."""
        self._running: RequestResponseCycle | None = None
        self._arrival_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._end_timer: asyncio.TimerHandle | None = None
        self.lost = False
        self.stalled = False
        self.watcher: Callable[[], None] | None = None

    # The connection's life

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self._limits.connections:
            self._refuse(
                Unavailable("Too many connections to this gateway.", code="too_many_connections", retry_after=1)
            )
        else:
            self._rest()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self._unset_keepalive_if_required()
        for timer in (self._arrival_timer, self._write_timer, self._end_timer):
            if timer is not None:
                timer.cancel()
        self.pipeline.clear()
        self._disconnect()
        super().connection_lost(exc)

    def _disconnect(self) -> None:
        """Tell the call under way. uvicorn would tell only the request that was parsed last."""
        running, watcher = self._running, self.watcher
        if running is not None and not running.response_complete:
            running.disconnected = True
            running.message_event.set()
        self.watcher = None
        if watcher is not None:
            watcher()

    def _rest(self) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(self._limits.idle_s, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._end_soon(self._limits.linger_s)

    def shutdown(self) -> None:
        super().shutdown()
        if self.transport.is_closing():
            self._end_soon(self._limits.write_s)

    def _end_soon(self, within_s: float) -> None:
        """A closing connection waits for its last bytes to be taken; not for ever."""
        if self._end_timer is None and not self.lost:
            self._end_timer = self.loop.call_later(within_s, self.transport.abort)

    def is_closing(self) -> bool:
        return self.transport.is_closing()

    # What comes in

    def data_received(self, data: bytes) -> None:
        if self.refused:
            return
        self._unset_keepalive_if_required()
        if self._at == "rest":
            self._at = "head"
        self._barren += len(data)
        try:
            self._parse(data)
        except httptools.HttpParserError as error:
            self._refuse(_reason(error))
        else:
            self._bound()

    def _parse(self, data: bytes) -> None:
        """An offer to upgrade is not taken up; the parser stops behind it and goes on where it stopped."""
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]
            else:
                return

    def _bound(self) -> None:
        """After each read: what has begun and is not complete runs against the clock, and may not grow for ever."""
        if self._at == "rest":
            return
        if self._barren > self._limits.head:
            self._refuse(HeadersTooLarge(f"The request's head is larger than {self._limits.head} bytes."))
        elif self._arrival_timer is None:
            within_s = self._limits.head_s if self._at == "head" else self._limits.body_s
            self._arrival_timer = self.loop.call_later(within_s, self._late, self._at, within_s)

    def _late(self, part: str, within_s: float) -> None:
        self._refuse(TimedOut(f"The request's {part} did not arrive within {within_s:g} seconds."))

    def _arrived(self) -> None:
        self._barren = 0
        if self._arrival_timer is not None:
            self._arrival_timer.cancel()
            self._arrival_timer = None

    def on_message_begin(self) -> None:
        self._at = "head"
        super().on_message_begin()
        self.scope["extensions"] = {LINE: self}  # type: ignore[dict-item]

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._at == "head":  # after it come trailers, which are never taken for headers
            self.headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        limits = self._limits
        head = check_head(self.url, self.headers, self.parser.get_http_version(), limits.head, limits.headers)
        if self.parser.should_upgrade() and (head.length or head.chunked):
            raise InvalidRequest("Send a request that has a body without the Upgrade header.", param="upgrade")
        if head.length > limits.body:
            raise TooLarge(f"The body is larger than the {limits.body} bytes taken here.")
        if len(self.pipeline) >= limits.pipelined:
            raise InvalidRequest("Too many requests wait on this connection; wait for answers, or open another.")
        self.expect_100_continue = head.expects_continue
        self._at = "body"
        self._arrived()
        super().on_headers_complete()
        self.flow.resume_reading()  # uvicorn pauses behind a pipelined request, and would not see the client leave

    def on_body(self, body: bytes) -> None:
        self._barren = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._at = "rest"
        self._arrived()
        super().on_message_complete()

    # What goes out

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        task = self.loop.create_task(cycle.run_asgi(app))
        self.tasks.add(task)
        task.add_done_callback(self._answered)

    def _answered(self, task: "asyncio.Task[None]") -> None:
        self.tasks.discard(task)
        if self.transport.is_closing():
            self._end_soon(self._limits.write_s)

    def on_response_complete(self) -> None:
        self.watcher = None
        unread = self._running is not None and self._running.more_body
        super().on_response_complete()
        if (unread or self.refused) and not self.transport.is_closing():
            self._linger()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(self._limits.write_s, self._write_late)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _write_late(self) -> None:
        self.stalled = True
        self.transport.abort()

    # How it is refused

    def _refuse(self, error: HeadgateError) -> None:
        """Take no further request from this connection. Tells why, unless that would break into another answer."""
        self.refused = True
        self._unset_keepalive_if_required()
        self.pipeline.clear()
        running = self._running
        if running is not None and not running.response_complete:
            if running.response_started or self.cycle is not running or not running.more_body:
                return  # an answer is under way, or will be: `on_response_complete` ends the connection after it
            self._disconnect()  # the refusal is the answer: the call that waits for the rest of its body gets none
        self.transport.write(self._refusal(error))
        self._linger()

    def _refusal(self, error: HeadgateError) -> bytes:
        body = openai_body(error)
        identifier = request_id(self.config.clock.now()).encode()
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
            (b"x-headgate-request-id", identifier),
            (b"x-portkey-trace-id", identifier),
            (b"x-headgate-source", b"gateway"),
        ]
        if error.retry_after is not None:
            headers.append((b"retry-after", b"%d" % math.ceil(error.retry_after)))
        lines = b"".join([b"%b: %b\r\n" % header for header in headers])
        return b"%b%b\r\n%b" % (STATUS_LINE[error.status], lines, body)

    def _linger(self) -> None:
        """Say that nothing more comes, and throw away what still arrives: closing at once would reset the connection,
        and a client that is still sending would never read why."""
        self.refused = True
        self._unset_keepalive_if_required()
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()
        self._end_soon(self._limits.linger_s)


def _reason(error: httptools.HttpParserError) -> HeadgateError:
    cause = error.__context__
    if isinstance(cause, HeadgateError):
        return cause
    if isinstance(error, httptools.HttpParserCallbackError):
        log.error("a request's head could not be handled", exc_info=cause)
    return InvalidRequest("These bytes are not an HTTP/1.1 request.")
