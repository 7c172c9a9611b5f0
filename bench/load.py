"""Closed-loop load: so many connections, each sending its next call when the answer is whole.

python -m bench.load PORT CONNECTIONS CALLS PATH HEADERS_JSON BODY_FILE  ->  one JSON line
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import cast

import httptools
import uvloop


class Caller(asyncio.Protocol):
    """One connection; takes calls from the shared counter until none is left."""

    def __init__(self, load: "Load") -> None:
        self._load = load

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._next()

    def _next(self) -> None:
        if self._load.left == 0:
            self._transport.close()
            self._load.connection_done()
            return
        self._load.left -= 1
        self._parser = httptools.HttpResponseParser(self)
        self._started = time.perf_counter()
        self._transport.write(self._load.request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._load.took.append(time.perf_counter() - self._started)
        if self._parser.get_status_code() != 200:
            self._load.failed += 1
        asyncio.get_running_loop().call_soon(self._next)

    def connection_lost(self, error: Exception | None) -> None:
        if error is not None:
            self._load.failed += 1
            self._load.connection_done()


class Load:
    """What all connections share."""

    def __init__(self, request: bytes, calls: int, connections: int) -> None:
        self.request = request
        self.left = calls
        self.took: list[float] = []
        self.failed = 0
        self._open = connections
        self.done = asyncio.Event()

    def connection_done(self) -> None:
        self._open -= 1
        if self._open == 0:
            self.done.set()


def request_bytes(port: int, path: str, headers: dict[str, str], body: bytes) -> bytes:
    head = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Content-Type: application/json"]
    head += [f"{name}: {value}" for name, value in headers.items()]
    head += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(head).encode() + body


async def main(port: int, connections: int, calls: int, path: str, headers: str, body: bytes) -> None:
    request = request_bytes(port, path, json.loads(headers), body)
    load = Load(request, calls, connections)
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    for _ in range(connections):
        await loop.create_connection(lambda: Caller(load), "127.0.0.1", port)
    await load.done.wait()
    took = sorted(load.took)
    result = {
        "seconds": time.perf_counter() - started,
        "calls": len(took),
        "failed": load.failed,
        "p50_ms": 1000 * took[len(took) // 2],
        "p99_ms": 1000 * took[int(len(took) * 0.99)],
    }
    print(json.dumps(result))


if __name__ == "__main__":
    given = sys.argv[1:]
    uvloop.run(main(int(given[0]), int(given[1]), int(given[2]), given[3], given[4], Path(given[5]).read_bytes()))
