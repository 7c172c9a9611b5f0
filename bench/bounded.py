"""A provider that serves so many calls at once; the rest wait there, first come, first served. A call takes as long as
its message says, in seconds.

python -m bench.bounded PORT PLACES
"""

import asyncio
import json
import sys
from collections import deque
from typing import cast

import httptools
import uvloop

from bench.mock import PLAIN


class Places:
    """What all connections share."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[Served] = deque()

    def come(self, call: "Served") -> None:
        if self._free:
            self._free -= 1
            call.begin()
        else:
            self._waiting.append(call)

    def leave(self) -> None:
        while self._waiting:
            call = self._waiting.popleft()
            if not call.gone:
                call.begin()
                return
        self._free += 1


class Served(asyncio.Protocol):
    """One connection."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self.gone = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._parser = httptools.HttpRequestParser(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.gone = True

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._body = b""

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self._takes = float(json.loads(self._body)["messages"][0]["content"])
        self._places.come(self)

    def begin(self) -> None:
        asyncio.get_running_loop().call_later(self._takes, self._end)

    def _end(self) -> None:
        if not self.gone:
            self._transport.write(PLAIN)
        self._places.leave()


async def main(port: int, count: int) -> None:
    places = Places(count)
    server = await asyncio.get_running_loop().create_server(lambda: Served(places), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2])))
