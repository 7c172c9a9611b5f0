"""Open-loop load: calls go out when they are due, whether or not others have come back, and are timed from when they
were due: a gateway that falls behind is not spared the calls it delays.

python -m bench.openload PORT PATH HEADERS_JSON BODY_FILE RATE SECONDS  ->  one JSON line
"""

import asyncio
import contextlib
import json
import sys
import time
from collections import deque
from typing import cast

import httptools
import uvloop

from bench.load import request_given
from headgate.base.tasks import Tasks

MOST_CONNECTIONS = 512
"""A call that is due while all are busy waits for one, and its clock runs."""
TAIL_S = 2.0
"""How long the calls under way are waited for at the end; what has not come by then has failed."""


class Line(asyncio.Protocol):
    """One connection, and at most one call on it."""

    def __init__(self, load: "OpenLoad") -> None:
        self._load = load
        self.due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._load.rests(self)

    def send(self, due: float) -> None:
        self.due = due
        self._parser = httptools.HttpResponseParser(self)
        self.transport.write(self._load.request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._load.came(time.perf_counter() - self.due, self._parser.get_status_code())
        self._load.rests(self)


class OpenLoad:
    """So many calls a second."""

    def __init__(self, request: bytes, port: int, rate: float, seconds: float) -> None:
        self.request = request
        self.took: list[float] = []
        self.failed = 0
        self._port = port
        self._rate = rate
        self._most = int(rate * seconds)
        self._whole = asyncio.Event()
        self._idle: list[Line] = []
        self._waiting: deque[float] = deque()
        self._connections = 0
        self._tasks = Tasks(print)

    def came(self, took: float, status: int) -> None:
        self.took.append(took)
        self.failed += status != 200
        if len(self.took) == self._most:
            self._whole.set()

    def rests(self, line: Line) -> None:
        if self._waiting:
            line.send(self._waiting.popleft())
        else:
            self._idle.append(line)

    async def run(self) -> int:
        """How many calls were due."""
        await asyncio.gather(*(self._dial() for _ in range(8)))
        began = time.perf_counter()
        sent, most = 0, self._most
        while sent < most:
            now = time.perf_counter()
            while sent < most and (due := began + sent / self._rate) <= now:
                self._call(due)
                sent += 1
            await asyncio.sleep(0.0005)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._whole.wait(), TAIL_S)
        return most

    def _call(self, due: float) -> None:
        if self._idle:
            self._idle.pop().send(due)
            return
        self._waiting.append(due)
        if self._connections < MOST_CONNECTIONS:
            self._tasks.start(self._dial(), "dial")

    async def _dial(self) -> None:
        self._connections += 1
        await asyncio.get_running_loop().create_connection(lambda: Line(self), "127.0.0.1", self._port)


async def main(request: bytes, port: int, rate: float, seconds: float) -> None:
    load = OpenLoad(request, port, rate, seconds)
    began, busy = time.perf_counter(), time.process_time()
    due = await load.run()
    took = sorted(load.took)
    told = {
        "due": due,
        "failed": load.failed + due - len(took),
        "p50_ms": 1000 * took[len(took) // 2] if took else 0.0,
        "p99_ms": 1000 * took[int(len(took) * 0.99)] if took else 0.0,
        "busy": (time.process_time() - busy) / (time.perf_counter() - began),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    uvloop.run(main(*request_given(sys.argv[1:5]), *map(float, sys.argv[5:])))
