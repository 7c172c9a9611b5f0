"""Closed-loop load: so many connections, each sending its next call when the answer is whole.

python -m bench.load PORT PATH HEADERS_JSON BODY_FILE CONNECTIONS CALLS  ->  one JSON line
"""

import asyncio
import contextlib
import json
import sys
import time
from pathlib import Path
from typing import cast

import httptools
import uvloop

GIVE_UP_S = 120.0


class Caller(asyncio.Protocol):
    """One connection; takes calls from the shared counter until none is left."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._asking = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._next()

    def _next(self) -> None:
        if self._load.left == 0:
            self._transport.close()
            return
        self._load.left -= 1
        self._parser = httptools.HttpResponseParser(self)
        self._started = time.perf_counter()
        self._asking = True
        self._transport.write(self._load.request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._asking = False
        self._load.took.append(time.perf_counter() - self._started)
        if self._parser.get_status_code() != 200:
            self._load.failed += 1
        if self._parser.should_keep_alive():
            asyncio.get_running_loop().call_soon(self._next)

    def connection_lost(self, error: Exception | None) -> None:
        if self._asking:  # it was closed in the middle of an answer, or instead of one
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


async def main(request: bytes, port: int, connections: int, calls: int) -> None:
    load = Load(request, calls, connections)
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    for _ in range(connections):
        await loop.create_connection(lambda: Caller(load), "127.0.0.1", port)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(load.done.wait(), GIVE_UP_S)
    load.failed += load.left
    took = sorted(load.took)
    result = {
        "seconds": time.perf_counter() - started,
        "calls": len(took),
        "failed": load.failed,
        "p50_ms": 1000 * took[len(took) // 2] if took else 0.0,
        "p99_ms": 1000 * took[int(len(took) * 0.99)] if took else 0.0,
    }
    print(json.dumps(result))


def request_given(arguments: list[str]) -> tuple[bytes, int]:
    """From PORT PATH HEADERS_JSON BODY_FILE: the request, and the port it goes to."""
    port, path, headers, body = arguments
    return request_bytes(int(port), path, json.loads(headers), Path(body).read_bytes()), int(port)


if __name__ == "__main__":
    uvloop.run(main(*request_given(sys.argv[1:5]), *map(int, sys.argv[5:])))
