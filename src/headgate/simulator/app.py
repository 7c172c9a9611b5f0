"""The simulator as a bare ASGI application."""

import os
from collections.abc import Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from headgate.base.clock import NANOS_PER_SECOND, Clock, SystemClock
from headgate.base.ids import RandomBytes
from headgate.base.tasks import Tasks
from headgate.simulator.ask import ProviderError
from headgate.simulator.batch_work import BatchWork
from headgate.simulator.behaviours import BEHAVIOURS
from headgate.simulator.call import REQUEST_ID_HEADER, Call, Desk, Receive, Request, Send, plain_error, send_whole
from headgate.simulator.deliveries import HangUp, Pacing
from headgate.simulator.dialects.base import bearer, to_json
from headgate.simulator.journal import Journal
from headgate.simulator.models import listed
from headgate.simulator.prompt_cache import PromptCache
from headgate.simulator.routes import route, unversioned
from headgate.simulator.shelf import Shelf

Scope = MutableMapping[str, Any]
MAX_BODY = 256 * 1024 * 1024


class Simulator:
    """Speaks every dialect on one port; `GET /healthz` says that it is there."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        if await self._shelved(scope["method"], path, headers, receive, send):
            return
        if scope["method"] == "GET":
            await self._get(path, headers, send)
            return
        found = route(path, query)
        if found is None or scope["method"] != "POST":
            await send_whole(send, 404, to_json(plain_error(f"Unknown request URL: {scope['method']} {path}.")))
            return
        body = await _body(receive)
        if body is None:
            return
        dialect, target = found
        request = Request(dialect, target, path, query, headers, list(scope["headers"]), body)
        try:
            await Call(self._desk, request, receive, send).run()
        except HangUp:
            return  # the server closes a connection whose answer was not completed

    async def _shelved(self, method: str, path: str, headers: Mapping[str, str], receive: Receive, send: Send) -> bool:
        """Whether it was about something that is kept, and is answered."""
        plain = unversioned(path)
        if not plain.startswith(("/responses", "/files", "/batches")) or (method, plain) == ("POST", "/responses"):
            return False
        body = await _body(receive) if method == "POST" else b""
        credential = bearer(headers)
        try:
            if credential is None or self._desk.credential not in (None, credential):
                raise ProviderError(401, "Incorrect API key provided.")
            kind, request_id = headers.get("content-type", ""), headers.get(REQUEST_ID_HEADER, "")
            found = self._desk.shelf.answer(method, plain, kind, body or b"", request_id)
        except ProviderError as error:
            await send_whole(send, error.status, to_json(plain_error(error.message)))
            return True
        if found is None:
            return False
        if found.document is not None:
            await send_whole(send, 200, to_json(found.document))
        else:
            fixed = [(b"content-type", b"application/octet-stream"), (b"content-length", b"%d" % len(found.content))]
            await send({"type": "http.response.start", "status": 200, "headers": fixed})
            await send({"type": "http.response.body", "body": found.content, "more_body": False})
        return True

    async def _get(self, path: str, headers: Mapping[str, str], send: Send) -> None:
        match unversioned(path):
            case "/healthz":
                await send_whole(send, 200, b'{"status":"ok"}')
            case "/models":
                await send_whole(send, 200, to_json(listed(path, headers, self._desk.behaviours)))
            case _:
                await send_whole(send, 404, to_json(plain_error(f"Unknown request URL: GET {path}.")))


def create_app(
    journal: Journal,
    pacing: Pacing | None = None,
    *,
    credential: str | None = None,
    aliases: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    random_bytes: RandomBytes = os.urandom,
) -> Simulator:
    """The application. `credential`: the only one it takes, None for any. `aliases`: further model names, each with the
    name of the behaviour it has. Raises `KeyError` for a behaviour there is none of.
    """
    clock = clock or SystemClock()
    further = {name: BEHAVIOURS[like] for name, like in (aliases or {}).items()}
    behaviours, cache = {**BEHAVIOURS, **further}, PromptCache()
    desk = Desk(
        journal=journal,
        cache=cache,
        behaviours=behaviours,
        pacing=pacing or Pacing(),
        credential=credential,
        clock=clock,
        random_bytes=random_bytes,
        tasks=Tasks(_watcher_failed),
        shelf=Shelf(
            lambda: random_bytes(12).hex(),
            lambda: clock.now() // NANOS_PER_SECOND,
            BatchWork(journal, cache, behaviours, clock, random_bytes),
        ),
    )
    return Simulator(desk)


def _watcher_failed(name: str, error: BaseException) -> None:
    """A watcher that fails has seen the end of its connection: the call it watched for learns the same from it."""


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None if the caller hung up over it or sends more than the simulator takes."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)
