"""Our server on loopback in the test's own loop, and a client that speaks to it by hand."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from headgate.dataplane.asgi import AsgiExchange, Receive, Scope, Send
from headgate.dataplane.edge import EdgeLimits
from headgate.dataplane.exchange import Exchange
from headgate.dataplane.server import Server, make_server

Handler = Callable[[Exchange], Awaitable[None]]


class Handled:
    """Hands every call to the handler, directly or as an ASGI application, and keeps what goes wrong there."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self.errors: list[BaseException] = []

    def handles(self, path: str) -> bool:
        return True

    async def answer(self, exchange: Exchange) -> None:
        try:
            await self._handler(exchange)
        except BaseException as error:
            self.errors.append(error)
            raise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = AsgiExchange(scope, receive, send)
        try:
            await self.answer(exchange)
        finally:
            exchange.close()


@asynccontextmanager
async def serving(
    handler: Handler, limits: EdgeLimits | None = None, *, asgi: bool = False, **tls: Any
) -> AsyncIterator[Server]:
    """A server that hands every call to `handler`, directly or through ASGI; an error in it fails the test."""
    handled = Handled(handler)
    server = make_server(handled, "127.0.0.1", 0, calls=None if asgi else handled, limits=limits, drain_s=1, **tls)
    async with running(server):
        yield server
    if handled.errors:
        raise handled.errors[0]


@asynccontextmanager
async def running(server: Server) -> AsyncIterator[Server]:
    """The server in the test's own loop, from its first connection to its end."""
    server.config.lifespan = "off"
    task = asyncio.get_running_loop().create_task(server.serve())
    await server.ready.wait()
    try:
        yield server
    finally:
        server.should_exit = True
        await task


async def mirrored(exchange: Exchange, limit: int = 1 << 30) -> None:
    """Answers with what was asked."""
    body = await exchange.body(limit, 5)
    text = f"{exchange.method} {exchange.path} {exchange.query} {exchange.http_version} "
    await exchange.respond(200, [(b"content-type", b"text/plain")], text.encode() + body)


async def departure(exchange: Exchange) -> None:
    """Return when the client has hung up."""
    gone = asyncio.Event()
    exchange.on_gone(gone.set)
    await gone.wait()


async def left(server: Server, connections: int) -> None:
    """Return when no more than so many clients are connected."""
    while len(server.server_state.connections) > connections:  # noqa: ASYNC110 - uvicorn keeps a set, no event
        await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


class Caller:
    """One client connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    @asynccontextmanager
    async def to(cls, server: Server, **tls: Any) -> AsyncIterator["Caller"]:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, **tls)
        try:
            yield cls(reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def send(self, data: bytes) -> None:
        """What the server does not take any more is its own affair."""
        self._writer.write(data)
        with suppress(ConnectionError):
            await self._writer.drain()

    async def reply(self) -> Reply:
        """The next whole answer: by length, chunked, or to the end of the connection."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        code = int(status.split(" ")[1])
        if code < 200:
            body = b""
        elif "content-length" in headers:
            body = await self._reader.readexactly(int(headers["content-length"]))
        elif headers.get("transfer-encoding") == "chunked":
            body = b"".join([chunk async for chunk in self.chunks()])
        else:
            body = await self._reader.read()
        return Reply(code, headers, body)

    async def head(self) -> bytes:
        return await self._reader.readuntil(b"\r\n\r\n")

    async def chunks(self) -> AsyncIterator[bytes]:
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            yield (await self._reader.readexactly(size + 2))[:-2]
        await self._reader.readexactly(2)

    async def rest(self) -> bytes:
        """Everything until the server closes; a reset counts as closing."""
        with suppress(ConnectionError):
            return await self._reader.read()
        return b""

    def half_close(self) -> None:
        self._writer.write_eof()

    def close(self) -> None:
        self._writer.close()

    def reset(self) -> None:
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    def limit_receive_buffer(self) -> None:
        """As little as the kernel keeps for us, so that the server's own buffers show."""
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

    def stop_reading(self) -> None:
        self._writer.transport.pause_reading()  # type: ignore[attr-defined]
