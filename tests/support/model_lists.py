"""A provider on this machine that answers the question for its models, and nothing else."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.raw_server import Peer, RawServer


@asynccontextmanager
async def answering(reply: bytes, asked: list[bytes] | None = None) -> AsyncIterator[str]:
    """Its base URL. `reply` is sent, as it is, to every request; their heads are put into `asked`."""

    async def script(peer: Peer) -> None:
        while True:
            head, _ = await peer.request()
            if asked is not None:
                asked.append(head)
            await peer.send(reply)

    async with RawServer(script) as server:
        yield f"http://127.0.0.1:{server.port}/v1"


def answer(status: int, body: bytes = b"", head: bytes = b"") -> bytes:
    """A whole answer; `head` holds more header lines, each with its line end."""
    return b"HTTP/1.1 %d X\r\n%bcontent-length: %d\r\n\r\n%b" % (status, head, len(body), body)


@asynccontextmanager
async def models_of_our_own(*names: str) -> AsyncIterator[str]:
    """The base URL of one that lists these models."""
    body = json.dumps({"object": "list", "data": [{"id": name} for name in names]}).encode()
    async with answering(answer(200, body)) as url:
        yield url
