"""The provider of a simulated world: the simulator with its own books, behind connections that fail.

Stands where the upstream client stands; no sockets, virtual time, every choice from the seed.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any, cast

from headgate.base.clock import Clock
from headgate.simulator import books
from headgate.simulator.app import Simulator, create_app
from headgate.simulator.books import Bill
from headgate.simulator.deliveries import Pacing
from headgate.simulator.journal import Billed, Entry, Intent, Journal
from headgate.upstream.client import Answer, Deadlines, Failed, Request
from headgate.upstream.failed import Kind
from tests.sim.loop import OrderedSet

WINDOW = 512
"""Bytes of an answer on their way: what a provider has sent and nobody has read."""
Pause = Callable[[], Awaitable[None]]


class KeptJournal(Journal):
    """The provider's books in memory: they survive everything that happens to the gateway."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def append(self, entry: Entry) -> None:
        self.entries.append(entry)

    def calls(self) -> list[books.Call]:
        ends = {entry.id: entry for entry in self.entries if isinstance(entry, Billed)}
        return [books.Call(entry, ends.get(entry.id)) for entry in self.entries if isinstance(entry, Intent)]

    def bills(self) -> dict[str, Bill]:
        return books.bills(self.calls())


class Connection:
    """One exchange with the simulator; `breaks_after` so many bytes of the answer's body it is reset."""

    def __init__(self, request: Request, pause: Pause, breaks_after: int | None) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.complete = False
        self.gone = False
        self._body = request.body
        self._pause = pause
        self._left = breaks_after
        self._asked = False
        self._chunks: deque[bytes] = deque()
        self._waiting: list[asyncio.Future[None]] = []

    def close(self) -> None:
        """By either side, or by neither."""
        self.gone = True
        self._changed()

    def _changed(self) -> None:
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.done():
                each.set_result(None)

    async def _until(self, what: Callable[[], bool]) -> None:
        while not (what() or self.gone):
            self._waiting.append(asyncio.get_running_loop().create_future())
            await self._waiting[-1]

    # -- the simulator's side

    async def receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        await self._until(lambda: False)
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        await self._pause()
        await self._until(lambda: sum(map(len, self._chunks)) < WINDOW)
        if self.gone:
            return
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self._take(message.get("body", b""))
            self.complete = not message.get("more_body", False) and not self.gone
        self._changed()

    def _take(self, data: bytes) -> None:
        if self._left is not None:
            data, self._left = data[: self._left], self._left - len(data)
            self.gone = self._left < 0
        if data:
            self._chunks.append(data)

    # -- the gateway's side

    async def until(self, what: Callable[[], bool], seconds: float, kind: Kind) -> None:
        """Raises `Failed`: the connection broke, or it took too long. Cancelling it closes the connection."""
        try:
            async with asyncio.timeout(seconds):
                await self._until(what)
        except TimeoutError:
            self.close()
            raise Failed(kind, "the provider is silent", sent=True) from None
        except asyncio.CancelledError:
            self.close()
            raise
        if not what():
            raise Failed("reset", "the connection broke", sent=True)

    async def next(self, seconds: float) -> bytes:
        await self.until(lambda: bool(self._chunks) or self.complete, seconds, "timeout_idle")
        if not self._chunks:
            return b""
        data = self._chunks.popleft()
        self._changed()
        return data


class PlayedAnswer:
    """As much of `upstream.Answer` as the pipeline uses."""

    def __init__(self, connection: Connection, idle_s: float) -> None:
        self._connection = connection
        self._idle_s = idle_s
        self.status = connection.status
        self.headers = connection.headers

    def header(self, name: bytes) -> bytes | None:
        return next((value for found, value in self.headers if found == name), None)

    async def next(self) -> bytes:
        return await self._connection.next(self._idle_s)

    async def pour(self, sink: Callable[[bytes], bool]) -> bool:
        while data := await self.next():
            if not sink(data):
                return True
        return False

    def interrupt(self) -> None:
        """A sign of life waits here for the next of the answer: customers of these worlds have no proxies."""

    async def read(self, limit: int) -> bytes:
        parts = []
        while data := await self.next():
            parts.append(data)
        return b"".join(parts)

    def close(self) -> None:
        if not self._connection.complete:
            self._connection.close()


class Provider:
    """Implements `dataplane.attempt.Sender`. `trouble` is the share of exchanges that break somewhere."""

    def __init__(self, random: Random, clock: Clock, pause: Pause, trouble: float) -> None:
        self.journal = KeptJournal()
        self.tasks: OrderedSet[asyncio.Task[None]] = OrderedSet()
        self.connections: OrderedSet[Connection] = OrderedSet()
        self._random = random
        self._pause = pause
        self._trouble = trouble
        pacing = Pacing(slow=0.2, trickle=0.01)
        self._simulator: Simulator = create_app(self.journal, pacing, clock=clock, random_bytes=random.randbytes)

    async def send(self, request: Request, deadlines: Deadlines) -> Answer:
        await self._pause()
        trouble = self._random.random() / self._trouble if self._trouble else 1.0
        if trouble < 0.2:
            raise Failed("connect", "nobody listens", sent=False)
        if trouble < 0.4:
            raise Failed("reset", "lost on the way", sent=True)
        connection = Connection(request, self._pause, self._random.randrange(2_000) if trouble < 1.0 else None)
        self._run(request, connection)
        await connection.until(lambda: connection.status != 0, deadlines.first_byte_s, "timeout_first_byte")
        return cast(Answer, PlayedAnswer(connection, deadlines.idle_s))

    def _run(self, request: Request, connection: Connection) -> None:
        path, _, query = (request.origin.base_path + request.path).decode().partition("?")
        scope = {
            "type": "http",
            "method": request.method.decode(),
            "path": path,
            "query_string": query.encode(),
            "headers": request.all_headers,
        }
        task = asyncio.get_running_loop().create_task(self._answer(scope, connection))
        self.tasks.add(task)
        self.connections.add(connection)
        task.add_done_callback(self.tasks.discard)

    async def _answer(self, scope: dict[str, Any], connection: Connection) -> None:
        await self._simulator(scope, connection.receive, connection.send)
        if not connection.complete:  # it hung up in the middle
            connection.close()
        self.connections.discard(connection)

    def cut_all(self) -> None:
        """The gateway has died: so have its connections."""
        for connection in list(self.connections):
            connection.close()
