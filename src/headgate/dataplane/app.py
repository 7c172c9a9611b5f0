"""The data plane behind its two doors: one `Call` per request, errors in the client's format, a way to drain."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog

from headgate.base.clock import Clock
from headgate.base.errors import HeadgateError, MethodNotAllowed, Unavailable
from headgate.base.ids import BufferedRandom, RandomBytes, call_id, request_id
from headgate.dataplane.asgi import AsgiExchange, Receive, Scope, Send
from headgate.dataplane.call import Call, Stop
from headgate.dataplane.endpoints import ENDPOINTS, Endpoint, endpoint_for, with_method
from headgate.dataplane.exchange import ClientGone, Exchange
from headgate.dataplane.headers import JSON, call_headers
from headgate.dataplane.limits import Limits
from headgate.wire.registry import FORMATS

log = structlog.get_logger("headgate.dataplane")


Serve = Callable[[Exchange, Call], Awaitable[None]]
"""`Pipeline.serve`."""


class Observer(Protocol):
    """Told of every call that is over, in its last moment: it must be quick, and never raise."""

    def ended(self, exchange: Exchange, call: Call) -> None: ...


class DataPlane:
    """Serves the paths of `endpoints.py`; `handles` says which those are."""

    def __init__(
        self,
        serve: Serve,
        clock: Clock,
        limits: Limits,
        observers: Sequence[Observer] = (),
        random_bytes: RandomBytes | None = None,
    ) -> None:
        self._serve = serve
        self._observers = observers
        self._clock = clock
        self._limits = limits
        self._random_bytes = random_bytes or BufferedRandom()
        self._live: set[Call] = set()
        self.draining = False

    @staticmethod
    def handles(path: str) -> bool:
        return endpoint_for(path) is not None

    @property
    def live(self) -> int:
        """Calls under way."""
        return len(self._live)

    @property
    def streams(self) -> int:
        """Of those, the ones whose callers want the answer piece by piece."""
        return sum(call.streams for call in self._live)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As a part of an ASGI application, under any server or none."""
        exchange = AsgiExchange(scope, receive, send)
        try:
            await self.answer(exchange)
        finally:
            exchange.close()

    async def answer(self, exchange: Exchange, call: Call | None = None) -> None:
        """Straight from the server's own connection; or one that `begin` began."""
        if call is None:
            call = self.begin(exchange)
        self._live.add(call)
        try:
            await self._answer(exchange, call)
        finally:
            self._live.discard(call)
            for observer in self._observers:
                observer.ended(exchange, call)

    def begin(self, exchange: Exchange) -> Call:
        """A call of the task that asks, at its first moment."""
        endpoint = endpoint_for(exchange.path)
        assert endpoint is not None, "mounted on a path that is not the data plane's"
        now = self._clock.now()
        identifier = request_id(now, self._random_bytes)
        task = asyncio.current_task()
        assert task is not None
        return Call(
            request_id=identifier,
            trace_id=call_id(exchange.header(b"x-portkey-trace-id"), identifier),
            span_id=call_id(exchange.header(b"x-portkey-span-id"), ""),
            endpoint=endpoint,
            started_at=now,
            started=self._clock.monotonic(),
            task=task,
        )

    async def _answer(self, exchange: Exchange, call: Call) -> None:
        exchange.on_gone(lambda: self._hung_up(call))
        try:
            if self.draining:
                raise Unavailable("The gateway is shutting down; send the call again.", code="draining", retry_after=1)
            if exchange.method != call.endpoint.method:
                call.endpoint = _with_method(exchange, call.endpoint)
            await self._serve(exchange, call)
        except HeadgateError as error:
            await self._refuse(exchange, call, error)
        except ClientGone:
            pass
        except asyncio.CancelledError:
            if call.stopped is None:
                raise
            call.task.uncancel()
            if call.stopped is Stop.DRAINING:
                await self._refuse(exchange, call, Unavailable("The gateway is shutting down.", code="draining"))
        except Exception:
            log.exception("call crashed", request_id=call.request_id, endpoint=call.endpoint.path)
            await self._refuse(
                exchange, call, HeadgateError("Something went wrong in the gateway; it has been logged.")
            )

    def _hung_up(self, call: Call) -> None:
        call.client_left()
        asyncio.get_running_loop().call_later(self._limits.after_hangup_s, call.stop, Stop.CLIENT_GONE)

    async def _refuse(self, exchange: Exchange, call: Call, error: HeadgateError) -> None:
        call.fail(error)
        if exchange.started or exchange.gone:
            return
        headers = [JSON, *call_headers(call, b"gateway"), *call.standing]
        if error.retry_after is not None:
            headers.append((b"retry-after", str(math.ceil(error.retry_after)).encode()))
        try:
            await exchange.respond(error.status, headers, FORMATS[call.endpoint.format].error_body(error))
        except ClientGone:
            return

    async def drain(self, deadline_s: float) -> None:
        """Take no new calls; wait for the ones under way, and end what is left at the deadline."""
        self.draining = True
        await self._wait(deadline_s)
        for call in list(self._live):
            call.stop(Stop.DRAINING)
        await self._wait(LAST_WORDS_S)

    async def _wait(self, timeout_s: float) -> None:
        if running := [call.task for call in self._live]:
            await asyncio.wait(running, timeout=timeout_s)


def _with_method(exchange: Exchange, endpoint: Endpoint) -> Endpoint:
    """Raises `MethodNotAllowed`, which says what the path takes."""
    if (found := with_method(endpoint, exchange.method)) is not None:
        return found
    takes = " and ".join(each.method for each in ENDPOINTS if each.path == endpoint.path)
    raise MethodNotAllowed(f"`{exchange.path}` takes {takes}. {endpoint.otherwise}".rstrip())


LAST_WORDS_S = 5.0
"""How long a stopped call has to tell its client."""
