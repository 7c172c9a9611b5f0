"""The client's connection: what HTTP leaves to taste is decided here, before anything is routed.

httptools refuses the known smuggling framings but takes a megabyte of header, a missing or doubled Host, and all the
time in the world. This protocol adds the bounds and the clocks, and answers what it refuses in the data plane's own
words. The data plane's calls are served directly, everything else through ASGI; both take their turns on a connection.
An HTTP/1.0 client that asks for a stream gets it chunked: the proxies that still speak 1.0 upstream understand it, and
would otherwise get no stream at all.
"""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from typing import Any, Literal

import httptools
import uvicorn
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.server import ServerState

from headgate.base.clock import Clock
from headgate.base.deadline import Deadline
from headgate.base.errors import HeadersTooLarge, HeadgateError, InvalidRequest, TimedOut, TooLarge, Unavailable
from headgate.dataplane.asgi_turn import AsgiTurn
from headgate.dataplane.direct import Calls, DirectExchange
from headgate.dataplane.farewell import farewell, reason
from headgate.dataplane.head import check_head, read_target
from headgate.dataplane.turn import Turn

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
    """uvicorn's configuration, with our bounds beside it, and the calls that are not served through ASGI."""

    limits: EdgeLimits
    clock: Clock
    calls: Calls | None
    leaving: bool = False
    """Who asks on a connection is told to come on another one next time."""


class EdgeProtocol(asyncio.Protocol):
    """One client connection, made by uvicorn's server. Implements `direct.Line` and `asgi_turn.Line`."""

    transport: asyncio.Transport
    flow: FlowControl

    def __init__(
        self,
        config: EdgeConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.app: Any = config.loaded_app
        self.app_state = app_state
        self.loop = _loop or asyncio.get_running_loop()
        self._config = config
        self._limits = config.limits
        self._server = server_state
        self._parser = httptools.HttpRequestParser(self)
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)  # what follows a last request is not read
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._turns: deque[Turn] = deque()
        """The first is being answered; the last is being read, unless it is whole."""
        self._at: Literal["rest", "head", "body"] = "rest"
        self._barren = 0
        """Bytes in a row that were neither a complete head nor body."""
        self._timed = False
        """The part that is arriving runs against the clock."""
        self._arrival = Deadline(self.loop, self._late)
        self._write_timer: asyncio.TimerHandle | None = None
        self._end_timer: asyncio.TimerHandle | None = None
        self.refused = False
        """Nothing more is taken from this client."""
        self.lost = False
        self.stalled = False

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]:
        return self._server.default_headers

    # The connection's life

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        self.flow = FlowControl(transport)
        self._server.connections.add(self)  # type: ignore[arg-type]
        if len(self._server.connections) > self._limits.connections:
            self._refuse(
                Unavailable("Too many connections to this gateway.", code="too_many_connections", retry_after=1)
            )
        else:
            self._rest()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self._server.connections.discard(self)
        self._arrival.close()
        for timer in (self._write_timer, self._end_timer):
            if timer is not None:
                timer.cancel()
        self._hang_up()
        self.flow.resume_writing()
        del self._parser  # it refers to us

    def _hang_up(self) -> None:
        """Tell the call under way; those that wait behind it never begin."""
        running = self._turns[0] if self._turns else None
        self._turns.clear()
        if running is not None:
            running.hang_up()

    def _rest(self) -> None:
        self._arrival.set(self.loop.time() + self._limits.idle_s)

    def shutdown(self) -> None:
        """The server is about to end: close, after the answers to what has come."""
        if self._turns:
            self._turns[-1].keep_alive = False
        else:
            self._close(self._limits.write_s)

    def _close(self, within_s: float) -> None:
        """Once the last bytes are taken; they wait for that, not for ever."""
        self.transport.close()
        self._end_soon(within_s)

    def _end_soon(self, within_s: float) -> None:
        if self._end_timer is None and not self.lost:
            self._end_timer = self.loop.call_later(within_s, self.transport.abort)

    # What comes in

    def data_received(self, data: bytes) -> None:
        if self.refused:
            return
        if self._at == "rest":
            self._at = "head"
            self._arrival.clear()
        self._barren += len(data)
        try:
            self._parse(data)
        except httptools.HttpParserError as error:
            self._refuse(reason(error))
        else:
            self._bound()

    def _parse(self, data: bytes) -> None:
        """An offer to upgrade is not taken up; the parser stops behind it and goes on where it stopped."""
        while data:
            try:
                self._parser.feed_data(data)
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
        elif not self._timed:
            self._timed = True
            within_s = self._limits.head_s if self._at == "head" else self._limits.body_s
            self._arrival.set(self.loop.time() + within_s)

    def _late(self) -> None:
        if self._at == "rest":
            self._close(self._limits.linger_s)
        else:
            within_s = self._limits.head_s if self._at == "head" else self._limits.body_s
            self._refuse(TimedOut(f"The request's {self._at} did not arrive within {within_s:g} seconds."))

    def _arrived(self) -> None:
        self._barren = 0
        if self._timed:
            self._timed = False
            self._arrival.clear()

    def on_message_begin(self) -> None:
        self._at = "head"
        self._url = b""
        self._headers = []

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._at == "head":  # after it come trailers, which are never taken for headers
            self._headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        limits, parser = self._limits, self._parser
        version = parser.get_http_version()
        head = check_head(self._url, self._headers, version, limits.head, limits.headers)
        if parser.should_upgrade() and (head.length or head.chunked):
            raise InvalidRequest("Send a request that has a body without the Upgrade header.", param="upgrade")
        if head.length > limits.body:
            raise TooLarge(f"The body is larger than the {limits.body} bytes taken here.")
        if len(self._turns) > limits.pipelined:
            raise InvalidRequest("Too many requests wait on this connection; wait for answers, or open another.")
        self._at = "body"
        self._arrived()
        self._turns.append(self._turn(version, head.expects_continue))
        if len(self._turns) == 1:
            self._start(self._turns[0])

    def _turn(self, version: str, expects_continue: bool) -> Turn:
        calls, parser = self._config.calls, self._parser
        method, target = parser.get_method().decode("ascii"), read_target(self._url)
        keep_alive = version != "1.0" and parser.should_keep_alive() and not self._config.leaving
        if calls is not None and calls.handles(target.path):
            return DirectExchange(
                self,
                calls.answer,
                method,
                target,
                version,
                self._headers,
                keep_alive=keep_alive,
                expects_continue=expects_continue,
            )
        return AsgiTurn(
            self, method, target, version, self._headers, keep_alive=keep_alive, expects_continue=expects_continue
        )

    def on_body(self, body: bytes) -> None:
        self._barren = 0
        self._turns[-1].feed(body)

    def on_message_complete(self) -> None:
        self._at = "rest"
        self._arrived()
        self._turns[-1].arrived()

    # What goes out

    def _start(self, turn: Turn) -> None:
        self._server.tasks.add(self.loop.create_task(self._serve(turn)))

    async def _serve(self, turn: Turn) -> None:
        try:
            await turn.run()
        except Exception:
            log.exception("a call crashed")
        finally:
            self._served(turn)

    def _served(self, turn: Turn) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._server.tasks.discard(task)
        if not turn.complete and not turn.gone:
            if not turn.started:
                self.transport.write(self._farewell(HeadgateError("Something went wrong in the gateway.")))
            self.transport.close()
        if self.transport.is_closing():
            self._end_soon(self._limits.write_s)

    def answered(self) -> None:
        """The first turn is over: the next one's has come, or the connection rests, or it ends."""
        turn = self._turns.popleft()
        if self.transport.is_closing():
            return
        if self.refused or not turn.whole:
            self._linger()
        elif not turn.keep_alive:
            self.transport.close()
        elif self._turns:
            self.flow.resume_reading()
            self._start(self._turns[0])
        elif self._at == "rest":
            self.flow.resume_reading()
            self._rest()

    def pause_writing(self) -> None:
        self.flow.pause_writing()
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(self._limits.write_s, self._write_late)

    def resume_writing(self) -> None:
        self.flow.resume_writing()
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
        self._arrival.clear()
        reading = self._turns[-1] if self._turns else None
        while len(self._turns) > 1:
            self._turns.pop()
        if self._turns:
            running = self._turns[0]
            if running.started or running.whole or reading is not running:
                return  # an answer is under way, or will be: `answered` ends the connection after it
            self._hang_up()  # the refusal is the answer: the call that waits for the rest of its body gets none
        self.transport.write(self._farewell(error))
        self._linger()

    def _farewell(self, error: HeadgateError) -> bytes:
        return farewell(error, self._url, self.default_headers, self._config.clock)

    def _linger(self) -> None:
        """Say that nothing more comes, and throw away what still arrives: closing at once would reset the connection,
        and a client that is still sending would never read why."""
        self.refused = True
        self._arrival.clear()
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()
        self._end_soon(self._limits.linger_s)
