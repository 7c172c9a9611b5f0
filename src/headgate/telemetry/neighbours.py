"""The workers of one machine show one page of metrics: whoever is asked for it asks the others for theirs.

Each has a socket on loopback, which its supervisor made before it, and tells its own page to whoever says what only
they know. Every figure gets the label `worker`.
"""

import asyncio
import hmac
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from headgate.base.errors import Unavailable
from headgate.telemetry.page import MetricsPage

WITHIN_S: Final = 2.0
"""A worker that says nothing for so long is missing on the page, and `headgate_worker_up` is 0 for it."""
_UP: Final = "headgate_worker_up"


def page_sockets(count: int) -> list[socket.socket]:
    """One for each worker, in order. Whoever makes them keeps them open: a worker's successor has the same one."""
    return [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]


class Neighbours:
    """Of one worker. `secret` is what they all know."""

    def __init__(self, number: int, sockets: Sequence[socket.socket], secret: bytes) -> None:
        self._number = number
        self._socket = sockets[number - 1]
        self.address: tuple[str, int] = self._socket.getsockname()
        """Where it tells its own page."""
        self._addresses = {of: each.getsockname() for of, each in enumerate(sockets, 1) if of != number}
        self._secret = secret
        self._server: asyncio.Server | None = None

    async def serve(self, metrics: MetricsPage) -> None:
        """From now on its page is everybody's, and the others hear its own."""
        self._server = await asyncio.start_server(partial(self._answer, metrics), sock=self._socket.dup())
        metrics.gather = self.gather

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def gather(self, own: bytes) -> bytes:
        """The pages of all, as one."""
        others = await asyncio.gather(*(self._ask(*address) for address in self._addresses.values()))
        found = dict(zip(self._addresses, others, strict=True)) | {self._number: own}
        return merged({number: found[number] for number in sorted(found)})

    async def _ask(self, host: str, port: int) -> bytes:
        """Empty where nothing comes."""
        try:
            async with asyncio.timeout(WITHIN_S):
                reader, writer = await asyncio.open_connection(host, port)
                try:
                    writer.write(self._secret)
                    return await reader.read()
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return b""

    async def _answer(self, metrics: MetricsPage, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError, EOFError):
            async with asyncio.timeout(WITHIN_S):
                said = await reader.readexactly(len(self._secret))
                if hmac.compare_digest(said, self._secret):
                    with suppress(Unavailable):
                        await metrics.refresh()
                    writer.write(metrics.own())
                    await writer.drain()
        writer.close()


def merged(pages: Mapping[int, bytes]) -> bytes:
    """One page of those of several workers, by their numbers; an empty one is that of a worker that is not there."""
    families: dict[bytes, tuple[list[bytes], list[bytes]]] = {}
    for number, page in pages.items():
        label = b'worker="%d"' % number
        heads: list[bytes] = []
        figures: list[bytes] = []
        for line in page.splitlines():
            if line.startswith(b"# "):
                heads, figures = families.setdefault(line.split(b" ", 3)[2], ([], []))
                if line not in heads:
                    heads.append(line)
            elif line:
                figures.append(_labelled(line, label))
    up = [b'%s{worker="%d"} %d' % (_UP.encode(), number, bool(page)) for number, page in pages.items()]
    told = b"# HELP %s 1 where a worker told its figures.\n# TYPE %s gauge" % (_UP.encode(), _UP.encode())
    lines = [line for heads, figures in families.values() for line in (*heads, *figures)]
    return b"\n".join([*lines, told, *up, b""])


def _labelled(line: bytes, label: bytes) -> bytes:
    """No name of a metric has a space or a brace, so the first of them ends it."""
    name, space, value = line.partition(b" ")
    if (at := name.find(b"{")) >= 0:
        return line[: at + 1] + label + b"," + line[at + 1 :]
    return name + b"{" + label + b"}" + space + value
