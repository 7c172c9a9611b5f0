"""A TCP server that plays a script, byte by byte: what no well-behaved HTTP server could be made to do."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self


class Peer:
    """The server's end of one accepted connection."""

    def __init__(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.number = number
        """0 for the first connection the server accepted."""
        self._reader = reader
        self._writer = writer

    async def request(self) -> tuple[bytes, bytes]:
        """The next request: head and body (by its Content-Length). Raises `IncompleteReadError` at the end."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        return head, await self._reader.readexactly(length)

    async def receive(self, size: int) -> bytes:
        return await self._reader.readexactly(size)

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self, body: bytes, *, head: bytes = b"") -> None:
        """A whole 200 answer; `head` holds more header lines, each with its line end."""
        await self.send(b"HTTP/1.1 200 OK\r\n%bcontent-length: %d\r\n\r\n%b" % (head, len(body), body))

    def half_close(self) -> None:
        """FIN: nothing more comes, but we still listen."""
        self._writer.write_eof()

    def close(self) -> None:
        self._writer.close()

    def reset(self) -> None:
        """RST."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def gone(self) -> None:
        """Return when the other side has closed, with whatever it sent before."""
        try:
            while await self._reader.read(65536):
                pass
        except ConnectionError:
            pass

    async def finish(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await self._writer.wait_closed()


Script = Callable[[Peer], Awaitable[None]]


class RawServer:
    """Plays `script` for every connection. An error in a script fails the test when the server is left.

    A peer that leaves in the middle (end of file, reset) ends the script, and that is no error.
    """

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self._script = script
        self._tls = tls
        self._host = host
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._errors: list[BaseException] = []
        self._accepting = asyncio.Condition()
        self.accepted = 0

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def reached(self, accepted: int) -> None:
        """Return when so many connections have been accepted."""
        async with self._accepting:
            await self._accepting.wait_for(lambda: self.accepted >= accepted)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._play, self._host, 0, ssl=self._tls)
        return self

    async def _play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        peer = Peer(self.accepted, reader, writer)
        self.accepted += 1
        try:
            async with self._accepting:
                self._accepting.notify_all()
            await self._script(peer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except asyncio.CancelledError:  # the test is over
            pass
        except BaseException as error:
            self._errors.append(error)
        finally:
            await peer.finish()
            self._tasks.discard(task)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        if error is None and self._errors:
            raise self._errors[0]
