"""The simulator as a bare ASGI application."""

import os
from collections.abc import Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from headgate.base.clock import Clock, SystemClock
from headgate.base.ids import RandomBytes
from headgate.base.tasks import Tasks
from headgate.simulator.behaviours import BEHAVIOURS
from headgate.simulator.call import Call, Desk, Receive, Request, Send, plain_error, send_whole
from headgate.simulator.deliveries import HangUp, Pacing
from headgate.simulator.dialects.base import to_json
from headgate.simulator.journal import Journal
from headgate.simulator.models import listed
from headgate.simulator.prompt_cache import PromptCache
from headgate.simulator.routes import route, unversioned

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
    further = {name: BEHAVIOURS[like] for name, like in (aliases or {}).items()}
    desk = Desk(
        journal=journal,
        cache=PromptCache(),
        behaviours={**BEHAVIOURS, **further},
        pacing=pacing or Pacing(),
        credential=credential,
        clock=clock or SystemClock(),
        random_bytes=random_bytes,
        tasks=Tasks(_watcher_failed),
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
