"""So many clients that read streams, each the next one as soon as one is over, and note when each piece came.

python -m bench.viewers PORT PATH HEADERS_JSON BODY_FILE STREAMS SECONDS STALL_S  ->  one JSON line
"""

import asyncio
import json
import sys
import time
from typing import cast

import uvloop

from bench.load import request_given

END = b"0\r\n\r\n"
"""The last chunk of the transfer coding: no event ends like this."""
SPREAD_S = 1.0
"""Over how long the clients begin, so that they do not all begin in one moment."""


class Viewer(asyncio.Protocol):
    """One connection, one stream after the other."""

    def __init__(self, audience: "Audience") -> None:
        self._audience = audience
        self._reading = False
        self._last = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def _ask(self) -> None:
        if self._audience.over:
            self._transport.close()
            return
        self._reading, self._begun = True, False
        self._last = time.perf_counter()
        self._transport.write(self._audience.request)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        gap, self._last = now - self._last, now
        if self._begun:
            self._audience.gaps.append(gap)
        elif data.startswith(b"HTTP/1.1 200"):
            self._begun = True
            self._audience.first.append(gap)
        else:
            self._fail()
            return
        if data.endswith(END):
            self._reading = False
            self._audience.whole += 1
            self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        if self._reading and not self._audience.over:
            self._fail()

    def _fail(self) -> None:
        self._reading = False
        self._audience.failed += 1
        self._transport.close()


class Audience:
    """What all clients share. `first` and `gaps` in seconds."""

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.first: list[float] = []
        self.gaps: list[float] = []
        self.failed = 0
        self.whole = 0
        self.over = False


def quantile_ms(values: list[float], share: float) -> float:
    return 1000 * values[min(int(len(values) * share), len(values) - 1)] if values else 0.0


async def main(request: bytes, port: int, streams: int, seconds: float, stall_s: float) -> None:
    audience, loop = Audience(request), asyncio.get_running_loop()
    for _ in range(streams):
        await loop.create_connection(lambda: Viewer(audience), "127.0.0.1", port)
        await asyncio.sleep(SPREAD_S / streams)
    audience.first.clear()
    audience.gaps.clear()
    began, busy = time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    busy = (time.process_time() - busy) / (time.perf_counter() - began)
    audience.over = True
    first, gaps = sorted(audience.first), sorted(audience.gaps)
    told = {
        "streams": audience.whole,
        "failed": audience.failed,
        "stalls": sum(gap > stall_s for gap in audience.gaps + audience.first),
        "first_p50_ms": quantile_ms(first, 0.5),
        "first_p99_ms": quantile_ms(first, 0.99),
        "gap_p50_ms": quantile_ms(gaps, 0.5),
        "gap_p99_ms": quantile_ms(gaps, 0.99),
        "busy": busy,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    streams, seconds, stall_s = sys.argv[5:]
    uvloop.run(main(*request_given(sys.argv[1:5]), int(streams), float(seconds), float(stall_s)))
