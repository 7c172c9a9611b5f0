"""One HTTP call to an ASGI application, in process."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

Message = MutableMapping[str, Any]
App = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Reply:
    """The whole answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()
    """Every `Set-Cookie`, of which there may be several."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def request(
    app: App, method: str, target: str, body: object = None, headers: Mapping[str, str] | None = None
) -> Reply:
    """`body` is sent as JSON unless it is bytes."""
    payload = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    url = urlsplit(target)
    given = {"host": "test", "content-type": "application/json", **(headers or {})}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": url.path,
        "raw_path": url.path.encode(),
        "root_path": "",
        "query_string": url.query.encode(),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in given.items()],
        "client": ("127.0.0.1", 1),
        "server": ("test", 80),
    }
    sent: list[Message] = []

    asked = False

    async def receive() -> Message:
        nonlocal asked
        if asked:  # nothing more comes, and nobody hangs up
            await asyncio.get_running_loop().create_future()
        asked = True
        return {"type": "http.request", "body": payload, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = next(message for message in sent if message["type"] == "http.response.start")
    content = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
    names = {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]}
    cookies = tuple(value.decode() for name, value in start["headers"] if name.lower() == b"set-cookie")
    return Reply(start["status"], names, content, cookies)
