"""A TCP proxy on loopback that does to connections what networks do: it cuts, loses, delays, throttles and holds.

It stands between a client and a server, and knows nothing of what they say. Its faults are those of a moment, for all
its connections and for those to come; `heal` ends them. They may be set from any thread.
"""

import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass

from headgate.base.tasks import Tasks

CHUNK = 64 * 1024
QUEUED = 64
"""Chunks on their way, one way of a connection; then its sender waits, as before a full window."""


@dataclass(slots=True)
class Way:
    """One direction, of all connections. `lost`: what is sent never arrives, and nobody is told; a connection that
    something was lost of stays mute that way, because TCP has no gaps. `bytes_per_s` 0: as fast as it goes."""

    lost: bool = False
    delay_s: float = 0.0
    bytes_per_s: int = 0
    paused: bool = False


class FaultProxy:
    """`up` is from client to server, `down` back. `refuses`: who connects is reset at once."""

    def __init__(self, host: str, port: int, loop: asyncio.AbstractEventLoop) -> None:
        self.target = (host, port)
        self.up, self.down = Way(), Way()
        self.refuses = False
        self.connections = 0
        """Made so far."""
        self.open = 0
        """Joined to the server, and something may still come through."""
        self.port = 0
        self._loop = loop
        self._changed = asyncio.Event()
        self._alive: set[asyncio.StreamWriter] = set()
        self._failures: list[BaseException] = []
        self._tasks = Tasks(lambda _, error: self._failures.append(error))

    # -- faults -----------------------------------------------------------------------------------------------------

    def cut(self) -> None:
        """Both ends of every connection are reset, now."""
        self._now(self._cut)

    def drop(self, *, up: bool = True, down: bool = True) -> None:
        """From now on nothing arrives, that way or both ways; nobody is told."""
        self._set([self.up] * up + [self.down] * down, lost=True)

    def delay(self, seconds: float) -> None:
        """What is sent from now on arrives so much later, each way."""
        self._set([self.up, self.down], delay_s=seconds)

    def limit(self, bytes_per_s: int) -> None:
        """No more than so much arrives, each way of each connection."""
        self._set([self.up, self.down], bytes_per_s=bytes_per_s)

    def pause(self) -> None:
        """Nothing arrives until `heal`; then all of it does, in order."""
        self._set([self.up, self.down], paused=True)

    def refuse(self) -> None:
        """Nobody gets through any more: all is cut, and who comes is reset."""
        self.refuses = True
        self.cut()

    def heal(self) -> None:
        """No faults from now on. Where something was lost, nothing is mended: connections are reset."""
        self.refuses = False
        if self.up.lost or self.down.lost:
            self.cut()
        self._set([self.up, self.down], **asdict(Way()))

    def _set(self, ways: Sequence[Way], **fault: float) -> None:
        def changed() -> None:
            for way in ways:
                for name, value in fault.items():
                    setattr(way, name, value)
            self._changed.set()
            self._changed = asyncio.Event()

        self._now(changed)

    def _now(self, change: Callable[[], object]) -> None:
        """In the proxy's own thread, and done when this returns."""
        with suppress(RuntimeError):
            if asyncio.get_running_loop() is self._loop:
                change()
                return

        async def run() -> None:
            change()

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)

    def _cut(self) -> None:
        for writer in list(self._alive):
            self._cut_one(writer)

    def _cut_one(self, writer: asyncio.StreamWriter) -> None:
        """With a reset, not with an end."""
        self._alive.discard(writer)
        if (sock := writer.get_extra_info("socket")) is not None:  # None: it is over
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    # -- connections ------------------------------------------------------------------------------------------------

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """What a server calls for each client."""
        self.connections += 1
        self._alive.add(writer)
        if self.refuses:
            self._cut()
        else:
            self._tasks.start(self._join(reader, writer), "connection")

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client and the server, until both ends are over."""
        try:
            server_reader, server_writer = await asyncio.open_connection(*self.target)
        except OSError:
            self._cut_one(writer)
            return
        self._alive.add(server_writer)
        self.open += 1
        try:
            await asyncio.gather(
                self._pump(reader, server_writer, self.up), self._pump(server_reader, writer, self.down)
            )
        finally:
            self.open -= 1
            for each in (writer, server_writer):
                self._alive.discard(each)
                each.close()
                with suppress(OSError):
                    await each.wait_closed()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way) -> None:
        """Until the end of what comes. It is read ahead, so that a delay is one of time and not of throughput."""
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(QUEUED)
        delivery = self._tasks.start(self._deliver(queue, writer, way), "delivery")
        muted, data = False, b"."
        while data:
            try:
                data = await reader.read(CHUNK)
            except OSError:
                data = b""
            muted = muted or way.lost
            if not muted:
                await queue.put((self._loop.time() + way.delay_s, data))
        if muted:
            delivery.cancel()
        await asyncio.wait([delivery])

    async def _deliver(
        self, queue: "asyncio.Queue[tuple[float, bytes]]", writer: asyncio.StreamWriter, way: Way
    ) -> None:
        while True:
            due, data = await queue.get()
            await asyncio.sleep(due - self._loop.time())  # why: it is late by so much
            while way.paused:
                await self._changed.wait()
            with suppress(OSError):
                if data:
                    await self._throttled(data, writer, way)
                elif writer.can_write_eof():
                    writer.write_eof()
            if not data:
                return

    async def _throttled(self, data: bytes, writer: asyncio.StreamWriter, way: Way) -> None:
        while data:
            rate = way.bytes_per_s
            piece = data if not rate else data[: max(rate // 20, 1)]
            data = data[len(piece) :]
            writer.write(piece)
            await writer.drain()
            if rate:
                await asyncio.sleep(len(piece) / rate)  # why: so slow is the line

    async def close(self) -> None:
        """Raises what went wrong in the proxy itself."""
        self._cut()
        await self._tasks.close()
        if self._failures:
            raise self._failures[0]


@asynccontextmanager
async def fault_proxy(
    port: int, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[FaultProxy]:
    """A `FaultProxy` before a port of this machine. With `tls` its clients speak TLS to it, and it plainly onward."""
    proxy = FaultProxy(host, port, asyncio.get_running_loop())
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0, ssl=tls)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()


@contextmanager
def fault_proxy_beside(port: int, *, host: str = "127.0.0.1") -> Iterator[FaultProxy]:
    """The same in a thread of its own, for tests without an event loop."""
    ready: list[FaultProxy] = []
    over = threading.Event()
    begun = threading.Event()

    async def serve() -> None:
        async with fault_proxy(port, host=host) as proxy:
            ready.append(proxy)
            begun.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert begun.wait(10)
    try:
        yield ready[0]
    finally:
        over.set()
        thread.join(10)
