"""A whole gateway in the test's own loop, before a provider that a test scripts: real ledger, journal and database.

Only the client's connection is played: what the gateway sends is kept, and it can hang up.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headgate.bootstrap import Gateway, open_gateway
from headgate.ledger.record import UsageRecord
from headgate.settings import Settings
from headgate.storage import usage_queries
from headgate.tenancy import keys
from headgate.tenancy.founding import found
from headgate.tenancy.vault import MasterKey, Vault
from tests.support.asgi import Message, Reply, request
from tests.support.raw_server import Peer, RawServer
from tests.support.schema import sqlite_with_schema

Play = Callable[[Peer, dict[str, Any]], Awaitable[None]]
"""Answers one request, whose decoded body it is given."""


class Client:
    """One call. `reply` returns when it is over; `received` while it goes on."""

    def __init__(self, gateway: Gateway, path: str, body: object, key: str, headers: Mapping[str, str]) -> None:
        self.sent: list[Message] = []
        self._news = asyncio.Condition()
        self._left = asyncio.Event()
        self._gateway = gateway
        self._bodies = [json.dumps(body).encode() if body is not None else b""]
        self._scope: dict[str, Any] = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET" if body is None else "POST",
            "path": path,
            "query_string": b"",
            "headers": [
                (b"authorization", f"Bearer {key}".encode()),
                *((name.encode(), value.encode()) for name, value in headers.items()),
            ],
        }
        self.task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        await self._gateway.data_plane(self._scope, self._receive, self._send)

    async def _receive(self) -> Message:
        if self._bodies:
            return {"type": "http.request", "body": self._bodies.pop(), "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        async with self._news:
            self.sent.append(message)
            self._news.notify_all()

    def hang_up(self) -> None:
        self._left.set()

    async def received(self, size: int) -> None:
        """Return when so many bytes of the answer's body have come."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.body) >= size)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)

    async def reply(self) -> Reply:
        await self.task
        start = self.sent[0]
        headers = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
        return Reply(start["status"], headers, self.body)


@dataclass(slots=True)
class Plane:
    """`asked` has the decoded body of every request that reached the provider."""

    gateway: Gateway
    admin_key: str
    provider_url: str
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def admin(self, method: str, path: str, body: object = None) -> Any:
        """The decoded answer of the control plane, which must be a success."""
        reply = await request(self.gateway.app, method, f"/v1{path}", body, {"x-portkey-api-key": self.admin_key})
        assert reply.status == 200, reply.body
        return reply.json

    async def integrate(self, kind: str, models: Mapping[str, Mapping[str, float] | None]) -> None:
        """The provider as an integration, in the default workspace. Models with their prices in US cents per token."""
        path = {"openai": "/v1", "anthropic": "/v1"}[kind]
        integration = {
            "name": kind,
            "slug": kind,
            "ai_provider_id": kind,
            "key": "upstream",
            "configurations": {"custom_host": self.provider_url + path},
        }
        await self.admin("POST", "/integrations", integration)
        entries = [custom_model(name, prices) for name, prices in models.items()]
        await self.admin("PUT", f"/integrations/{kind}/models", {"models": entries, "allow_all_models": True})
        access = {"workspaces": [{"id": "default", "enabled": True}]}
        await self.admin("PUT", f"/integrations/{kind}/workspaces", access)

    async def key(self, **more: object) -> str:
        """A new key of the default workspace, in the clear."""
        body = {"name": "customer", "workspace_id": "default", "scopes": ["completions.write"], **more}
        return str((await self.admin("POST", "/api-keys/workspace/service", body))["key"])

    def call(self, key: str, body: object, path: str = "/v1/chat/completions", **headers: str) -> Client:
        """`headers` by their names with `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Client(self.gateway, path, body, key, named)

    async def limits(self, key: str) -> list[dict[str, Any]]:
        """What `GET /v1/limits` shows."""
        reply = await self.call(key, None, "/v1/limits").reply()
        assert reply.status == 200, reply.body
        return list(reply.json["data"])

    async def records(self) -> list[UsageRecord]:
        """All usage records, once everything that was settled is in the database."""
        await self.gateway.usage.flush()
        return await self.gateway.database.read(
            lambda connection: usage_queries.recent(connection, usage_queries.EVERYTHING, 10_000)
        )


def custom_model(name: str, prices: Mapping[str, float] | None) -> dict[str, object]:
    if prices is None:
        return {"slug": name, "enabled": True}
    units = {unit: {"price": price} for unit, price in prices.items()}
    return {"slug": name, "enabled": True, "is_custom": True, "pricing_config": {"pay_as_you_go": units}}


@asynccontextmanager
async def open_plane(directory: Path, play: Play, vault: Vault | None = None, **settings: Any) -> AsyncIterator[Plane]:
    """With a founded organization, and nothing in it. The directory must be there."""
    asked: list[dict[str, Any]] = []

    async def script(peer: Peer) -> None:
        while True:
            _, body = await peer.request()
            asked.append(json.loads(body))
            await play(peer, asked[-1])

    if "database_url" not in settings:
        sqlite_with_schema(directory)
    async with RawServer(script) as provider:
        gateway = await open_gateway(Settings(data_dir=directory, **settings), vault or Vault([MasterKey.generate()]))
        try:
            admin = keys.mint(gateway.pepper)
            assert await found(gateway.administration, admin) is not None
            yield Plane(gateway, admin.text, f"http://127.0.0.1:{provider.port}", asked)
        finally:
            await gateway.drain(0)
            await gateway.close()


def completion(text: str, input_tokens: int, output_tokens: int) -> bytes:
    """A whole OpenAI chat completion."""
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": input_tokens, "completion_tokens": output_tokens}
    usage["total_tokens"] = input_tokens + output_tokens
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps({"id": "c", "object": "chat.completion", "choices": [choice], "usage": usage}).encode()


STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """A piece of a body whose length nobody knows."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def delta(text: str) -> bytes:
    """One event of an OpenAI stream."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    body = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return b"data: %b\n\n" % json.dumps(body).encode()
