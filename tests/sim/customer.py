"""A customer's connection in a simulated world: it may read slowly, and hang up."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence

from headgate.base.header_lines import header_pairs
from headgate.dataplane.exchange import ClientGone
from tests.support.mix import Request

Header = tuple[bytes, bytes]


class PlayedExchange:
    """Implements `dataplane.exchange.Exchange`; what the customer got is in `status`, `headers` and `received`."""

    method = "POST"
    query = ""
    http_version = "1.1"

    def __init__(
        self, request: Request, key: str, pause: Callable[[], Awaitable[None]], *headers: tuple[bytes, bytes]
    ) -> None:
        self.path = request.path
        self.started = False
        self.gone = False
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.received = b""
        self.whole = False
        self._body = json.dumps(request.body).encode()
        self._sent = [(b"authorization", f"Bearer {key}".encode()), (b"content-type", b"application/json"), *headers]
        self._pause = pause
        self._watchers: list[Callable[[], None]] = []

    def hang_up(self) -> None:
        if not self.gone and not self.whole:
            self.gone = True
            for watcher in self._watchers:
                watcher()

    def header(self, name: bytes) -> bytes | None:
        return next((value for found, value in self._sent if found == name), None)

    def headers_all(self, name: bytes) -> list[bytes]:
        return [value for found, value in self._sent if found == name]

    async def body(self, limit: int, deadline_s: float) -> bytes:
        await self._pause()
        self._check()
        return self._body

    async def start(self, status: int, headers: Sequence[Header], lines: bytes = b"") -> None:
        self._check()
        self.started, self.status, self.headers = True, status, dict([*headers, *header_pairs(lines)])

    async def write(self, data: bytes) -> None:
        await self._pause()
        self._check()
        self.received += data

    def push(self, data: bytes) -> bool:
        return False  # this one always takes its time

    async def end(self) -> None:
        self._check()
        self.whole = True

    async def respond(self, status: int, headers: Sequence[Header], body: bytes, lines: bytes = b"") -> None:
        await self.start(status, headers, lines)
        await self.write(body)
        await self.end()

    def on_gone(self, callback: Callable[[], None]) -> None:
        if self.gone:
            callback()
        else:
            self._watchers.append(callback)

    async def wait_gone(self) -> None:
        left: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.on_gone(lambda: None if left.done() else left.set_result(None))
        await left

    def _check(self) -> None:
        if self.gone:
            raise ClientGone("the customer has hung up")

    @property
    def request_id(self) -> str:
        return self.headers.get(b"x-headgate-request-id", b"").decode()

    @property
    def by_gateway(self) -> bool:
        return self.headers.get(b"x-headgate-source") == b"gateway"
