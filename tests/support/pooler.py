"""A transaction pooler before PostgreSQL, as strict as one can be: every transaction gets another connection.

It speaks the protocol as PgBouncer does in its transaction mode, and remembers nothing for its clients: a statement
that was prepared before, or a channel that is listened to, is on whatever connection that happened on.
"""

import asyncio
import struct
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

SSL_REQUEST = 80877103
CONNECTIONS = 3
READY = b"Z\0\0\0\5I"
"""No transaction is open."""


class _Server:
    """One connection to the server, and what it said as it was opened."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, greeting: bytes) -> None:
        self.reader = reader
        self.writer = writer
        self.greeting = greeting


class Pooler:
    """`transactions` is how many it has handed on."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._free: deque[_Server] = deque()
        self._some = asyncio.Condition()
        self._opened: list[_Server] = []
        self._clients: set[asyncio.Task[None]] = set()
        self.transactions = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            await self._serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has gone
        finally:
            self._clients.discard(task)
            writer.close()

    async def close(self) -> None:
        for each in list(self._clients):
            each.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        for server in self._opened:
            server.writer.close()
            await server.writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        startup = await _startup(reader, writer)
        async with self._some:
            if len(self._opened) < CONNECTIONS:
                server = await self._open(startup)
                self._opened.append(server)
                self._free.append(server)
                self._some.notify()
        writer.write(self._opened[0].greeting)
        client = _Client(reader, writer)
        try:
            while (first := await client.next())[:1] != b"X":
                async with self._some:
                    await self._some.wait_for(lambda: self._free)
                    server = self._free.popleft()
                self.transactions += 1
                await _transaction(first, client, server)
                async with self._some:  # the one that rested longest is the next
                    self._free.append(server)
                    self._some.notify()
        finally:
            client.close()

    async def _open(self, startup: bytes) -> _Server:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        writer.write(startup)
        greeting = b""
        while not greeting.endswith(READY):
            greeting += await _message(reader)
        return _Server(reader, writer, greeting)


class _Client:
    """`asking` is its next message, on the way."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self.asking: asyncio.Task[bytes] | None = None

    def ask(self) -> asyncio.Task[bytes]:
        if self.asking is None:
            self.asking = asyncio.get_running_loop().create_task(_message(self._reader))
        return self.asking

    async def next(self) -> bytes:
        message = await self.ask()
        self.asking = None
        return message

    def close(self) -> None:
        if self.asking is not None:
            self.asking.cancel()


async def _startup(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    while True:
        head = await reader.readexactly(4)
        body = await reader.readexactly(struct.unpack("!I", head)[0] - 4)
        if struct.unpack("!I", body[:4])[0] != SSL_REQUEST:
            return head + body
        writer.write(b"N")


async def _message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(5)
    return head + await reader.readexactly(struct.unpack("!I", head[1:])[0] - 4)


async def _transaction(first: bytes, client: _Client, server: _Server) -> None:
    """Hand on both ways, until nothing is asked that is not answered and no transaction is open."""
    asked = int(first[:1] in (b"Q", b"S"))
    server.writer.write(first)
    answering = asyncio.get_running_loop().create_task(_message(server.reader))
    try:
        while True:
            await asyncio.wait([client.ask(), answering], return_when=asyncio.FIRST_COMPLETED)
            if client.ask().done():
                message = await client.next()
                asked += message[:1] in (b"Q", b"S")
                server.writer.write(message)
            if answering.done():
                answer = answering.result()
                client.writer.write(answer)
                asked -= answer[:1] == b"Z"
                if answer == READY and asked == 0:
                    return
                answering = asyncio.get_running_loop().create_task(_message(server.reader))
    finally:
        answering.cancel()


@asynccontextmanager
async def pooling(host: str, port: int) -> AsyncIterator[tuple[Pooler, int]]:
    """Before the server there; the port it listens on."""
    pooler = Pooler(host, port)
    listening = await asyncio.start_server(pooler.serve, "127.0.0.1", 0)
    try:
        yield pooler, listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        await pooler.close()
        await listening.wait_closed()
