"""A call of an ASGI application without a socket, and its answer while it comes."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final

from headgate.dataplane.asgi import Message, Receive, Scope, Send

App = Callable[[Scope, Receive, Send], Awaitable[None]]
PARTS_WAITING: Final = 16
"""Parts of an answer that nobody has read yet. Beyond, whoever sends waits."""


class Answer:
    """`headers` are by their names in small letters. Its body can be read once: whole, or part by part."""

    def __init__(self, status: int, headers: Mapping[str, str], parts: AsyncIterator[bytes]) -> None:
        self.status = status
        self.headers = headers
        self._parts = parts

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The body as it comes: of a stream, the bytes of its events."""
        return self._parts

    async def read(self) -> bytes:
        """The whole body."""
        return b"".join([part async for part in self._parts])

    async def json(self) -> Any:
        """The whole body, decoded."""
        return json.loads(await self.read())


class Turn:
    """One request and what is sent for it."""

    def __init__(self, method: str, path: str, body: object, headers: Mapping[str, str]) -> None:
        payload = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        path, _, query = path.partition("?")
        given = {"host": "headgate", "content-type": "application/json", **headers, "content-length": str(len(payload))}
        self._scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in given.items()],
            "client": None,
            "server": None,
        }
        self._request: list[Message] = [{"type": "http.request", "body": payload, "more_body": False}]
        self._sent: asyncio.Queue[Message | None] = asyncio.Queue(PARTS_WAITING)
        self._left = asyncio.Event()

    async def run(self, app: App) -> None:
        """From the request to the end of the answer."""
        receive: Receive = self._receive
        send: Send = self._send
        try:
            await app(self._scope, receive, send)
        finally:
            if not self._left.is_set():
                await self._sent.put(None)

    async def answer(self) -> Answer:
        """Once it begins. Raises `RuntimeError` where the application ends without one."""
        start = await self._sent.get()
        if start is None:
            raise RuntimeError("The call crashed; the log says how.")
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]}
        return Answer(start["status"], headers, self._parts())

    def leave(self) -> None:
        """Nobody reads what still comes: the application sees a client that has hung up."""
        self._left.set()
        while not self._sent.empty():
            self._sent.get_nowait()

    async def _parts(self) -> AsyncIterator[bytes]:
        while (message := await self._sent.get()) is not None:
            if part := message.get("body", b""):
                yield part
            if not message.get("more_body", False):
                return

    async def _receive(self) -> Message:
        if self._request:
            return self._request.pop()
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if not self._left.is_set():
            await self._sent.put(message)
