"""A client for open load: calls go out when they are due, on kept connections, whether or not others have come back."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import httptools

from bench.load import request_bytes

PATH = "/v1/chat/completions"


@dataclass(frozen=True, slots=True)
class Reply:
    """`status` 0: the connection broke. `began` is seconds since the load began, `took` since the call did."""

    status: int
    began: float
    took: float


class _Line(asyncio.Protocol):
    """One connection, and at most one call on it."""

    def __init__(self) -> None:
        self.status: asyncio.Future[int] | None = None
        self.open = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    async def call(self, request: bytes) -> int:
        self.status = asyncio.get_running_loop().create_future()
        self._parser = httptools.HttpResponseParser(self)
        self.transport.write(request)
        return await self.status

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        if self.status is not None and not self.status.done():
            self.status.set_result(self._parser.get_status_code())

    def connection_lost(self, error: Exception | None) -> None:
        self.open = False
        if self.status is not None and not self.status.done():
            self.status.set_result(0)


class Client:
    """Of one API key. A call that is due while `most` are under way is not sent."""

    def __init__(self, port: int, key: str, most: int, headers: Mapping[str, str] | None = None) -> None:
        self._port = port
        self._headers = {"x-portkey-api-key": key, **(headers or {})}
        self._most = most
        self._idle: list[_Line] = []
        self._under_way = 0
        self._began = time.perf_counter()
        self.replies: list[Reply] = []
        self.unsent = 0

    def begin(self) -> None:
        """The load begins now."""
        self._began = time.perf_counter()

    async def send(self, body: Mapping[str, object]) -> None:
        if self._under_way >= self._most:
            self.unsent += 1
            return
        self._under_way += 1
        began = time.perf_counter()
        request = request_bytes(self._port, PATH, self._headers, json.dumps(body).encode())
        status = 0
        try:
            line = self._idle.pop() if self._idle else await self._dial()
            status = await line.call(request)
            if line.open:
                self._idle.append(line)
        except OSError:
            pass  # told as a broken connection
        finally:
            self._under_way -= 1
        self.replies.append(Reply(status, began - self._began, time.perf_counter() - began))

    async def _dial(self) -> _Line:
        _, line = await asyncio.get_running_loop().create_connection(_Line, "127.0.0.1", self._port)
        return line

    def close(self) -> None:
        for line in self._idle:
            line.transport.close()


def quantile(values: list[float], share: float) -> float:
    """0 where there is none."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0
