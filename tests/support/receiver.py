"""A webhook's receiver on loopback, and a check of signatures that shares no code with the sender."""

import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC

from tests.support.raw_server import Peer, RawServer


@dataclass(frozen=True, slots=True)
class Message:
    """One POST that came in."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def signed_with(self, secret: str) -> bool:
        """As the Standard Webhooks specification says, in other words than the sender's."""
        content = ".".join((self.id, self.headers["webhook-timestamp"])).encode() + b"." + self.body
        for versioned in self.headers["webhook-signature"].split(" "):
            version, _, signature = versioned.partition(",")
            mac = HMAC(base64.b64decode(secret.split("_", 1)[1], validate=True), hashes.SHA256())
            mac.update(content)
            try:
                mac.verify(base64.b64decode(signature))
            except InvalidSignature:
                continue
            return version == "v1"
        return False


Answering = Callable[[Peer, Message], Awaitable[None]]


async def accept(peer: Peer, message: Message) -> None:
    """204, as a good receiver does."""
    await peer.send(b"HTTP/1.1 204 No Content\r\n\r\n")


def answer(status: int, body: bytes = b"", head: bytes = b"") -> Answering:
    """Always the same."""

    async def answering(peer: Peer, message: Message) -> None:
        await peer.send(b"HTTP/1.1 %d Said\r\n%bcontent-length: %d\r\n\r\n%b" % (status, head, len(body), body))

    return answering


@dataclass
class Receiver(AbstractAsyncContextManager["Receiver"]):
    """Takes messages and answers as `answering` does, which may be changed between messages."""

    answering: Answering = accept
    messages: list[Message] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self._server = RawServer(self._play)
        await self._server.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._server.__aexit__(kind, error, trace)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}/hooks"

    async def _play(self, peer: Peer) -> None:
        while True:
            head, body = await peer.request()
            first, *lines = head.decode().split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
            }
            message = Message(first.split(" ")[1], headers, body)
            self.messages.append(message)
            await self.answering(peer, message)
