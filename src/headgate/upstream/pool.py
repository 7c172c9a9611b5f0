"""The connections to one origin: the last used first, no more than so many, and an orderly queue for the rest."""

import asyncio
from collections import deque
from dataclasses import dataclass

from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.upstream.connection import Connection
from headgate.upstream.dial import Dialer
from headgate.upstream.failed import Failed
from headgate.upstream.origin import Origin
from headgate.upstream.round import Round


@dataclass(frozen=True, slots=True)
class Limits:
    """Per origin. A connection at rest is closed after `idle_s`, before most providers do."""

    connections: int = 1000
    waiters: int = 1000
    idle_s: float = 30


class Pool:
    """Hands out connections and takes them back. A connection is in one place only: at rest, or with one exchange."""

    def __init__(self, origin: Origin, dialer: Dialer, limits: Limits, clock: Clock) -> None:
        self._origin = origin
        self._dialer = dialer
        self._limits = limits
        self._clock = clock
        self._round = Round()
        self._taken = 0
        """Places in use: live connections, and those being dialled."""
        self._live: set[Connection] = set()
        self._idle: dict[Connection, int] = {}
        """At rest, the longest resting first, with the moment their rest began."""
        self._waiters: deque[asyncio.Future[Connection | None]] = deque()
        self._sweeper: asyncio.TimerHandle | None = None
        self._empty: asyncio.Event | None = None

    @property
    def closed(self) -> bool:
        return self._empty is not None

    def rested(self) -> Connection | None:
        """A connection ready to send, where one is at rest."""
        while self._idle:
            connection, since = self._idle.popitem()
            if self._clock.monotonic() - since < self._limits.idle_s * NANOS_PER_SECOND and connection.usable():
                return connection
            connection.abort()
        return None

    async def acquire(self, within_s: float) -> Connection:
        """A connection ready to send. Raises `Failed` with nothing sent: `pool_full`, or why dialling failed."""
        until = asyncio.get_running_loop().time() + within_s
        while True:
            if self.closed:
                raise Failed("connect", "the client is closed", sent=False)
            if (connection := self.rested()) is not None:
                return connection
            if self._taken < self._limits.connections:
                self._taken += 1
                return await self._dial(until)
            handed = await self._turn(until)
            if handed is None:
                return await self._dial(until)
            if handed.usable():
                return handed
            handed.abort()

    def forget_idle(self) -> None:
        """Close what rests: one of them was found dead, and the others are likely no better."""
        for connection in list(self._idle):
            connection.abort()
        self._idle.clear()

    async def close(self) -> None:
        """Close all connections, also under exchanges, and wait until they are."""
        if self._empty is None:
            self._empty = asyncio.Event()
        if self._sweeper is not None:
            self._sweeper.cancel()
        self.forget_idle()
        for connection in list(self._live):
            connection.abort()
        if self._live:
            await self._empty.wait()

    async def _dial(self, until: float) -> Connection:
        """A new connection, on a place that the caller has taken."""
        loop = asyncio.get_running_loop()
        connection = Connection(loop, self, self._round)
        self._live.add(connection)
        try:
            await self._dialer.dial(self._origin, connection, until - loop.time())
            if self.closed:
                raise Failed("connect", "the client is closed", sent=False)
        except BaseException:
            connection.abort()
            self.lost(connection)  # uvloop does not tell a protocol whose making was interrupted
            raise
        return connection

    async def _turn(self, until: float) -> Connection | None:
        """Wait for a connection that another exchange frees, or (None) for a place to dial a new one on."""
        if len(self._waiters) >= self._limits.waiters:
            raise Failed("pool_full", f"{len(self._waiters)} calls wait already", sent=False)
        waiter: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout_at(until):
                try:
                    return await waiter
                except asyncio.CancelledError:
                    self._decline(waiter)
                    raise
        except TimeoutError as error:
            raise Failed("pool_full", "no connection became free in time", sent=False) from error

    def _decline(self, waiter: asyncio.Future[Connection | None]) -> None:
        """The waiter has left; what it was handed in the same moment goes to the next."""
        if waiter.cancelled() or not waiter.done():
            if waiter in self._waiters:
                self._waiters.remove(waiter)
            return
        connection = waiter.result()
        if connection is None:
            self._vacate()
        else:
            connection.abort()

    # What a connection calls.

    def freed(self, connection: Connection) -> None:
        if self.closed:
            connection.abort()
        elif (waiter := self._next_waiter()) is not None:
            waiter.set_result(connection)
        else:
            self._idle[connection] = self._clock.monotonic()
            if self._sweeper is None:
                self._sweeper = asyncio.get_running_loop().call_later(self._limits.idle_s, self._sweep)

    def lost(self, connection: Connection) -> None:
        if connection not in self._live:
            return
        self._live.remove(connection)
        self._idle.pop(connection, None)
        self._vacate()
        if self._empty is not None and not self._live:
            self._empty.set()

    def _vacate(self) -> None:
        if (waiter := self._next_waiter()) is not None:
            waiter.set_result(None)
        else:
            self._taken -= 1

    def _next_waiter(self) -> asyncio.Future[Connection | None] | None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                return waiter
        return None

    def _sweep(self) -> None:
        self._sweeper = None
        expired = self._clock.monotonic() - int(self._limits.idle_s * NANOS_PER_SECOND)
        for connection, since in list(self._idle.items()):
            if since > expired:
                break
            del self._idle[connection]
            connection.abort()
        if self._idle:
            self._sweeper = asyncio.get_running_loop().call_later(self._limits.idle_s, self._sweep)
