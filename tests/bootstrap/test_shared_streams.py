"""Streams whose hold grows on allowances that processes share: they wait for what they lack, and are not cut."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from headgate.ledger.record import Outcome
from tests.bootstrap.test_sharing import DOLLAR, NANOS_PER_TOKEN, PRICES, authority, borrow_all
from tests.support.nodes import Nodes, open_nodes
from tests.support.plane import STREAM_HEAD, chunk, delta
from tests.support.raw_server import Peer
from tests.support.services import postgres_url

__all__ = ["authority", "postgres_url"]

RULES = {"admission": {"streams": "adaptive", "first_hold_tokens": 2048}}
WORDS = 100
END = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'


class Provider:
    """Streams so many events of a hundred bytes; after half of them it waits until it may go on."""

    def __init__(self) -> None:
        self.half = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def play(self, peer: Peer, body: dict[str, Any]) -> None:
        await peer.send(STREAM_HEAD)
        for number in range(WORDS):
            if number == WORDS // 2:
                self.half.set()
                await self.go_on.wait()
            await peer.send(chunk(delta("x" * 100)))
        usage = {"prompt_tokens": 3, "completion_tokens": 2_500, "total_tokens": 2_503}
        last = b"data: %b\n\ndata: [DONE]\n\n" % json.dumps({"choices": [], "usage": usage}).encode()
        await peer.send(chunk(END) + chunk(last) + b"0\r\n\r\n")


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
async def nodes(tmp_path: Path, authority: Any, postgres_url: str, provider: Provider) -> AsyncIterator[Nodes]:
    async with open_nodes(tmp_path, postgres_url, authority.url, provider.play, "one", "two") as opened:
        await opened.planes["one"].integrate("openai", {"m": PRICES})
        await opened.planes["one"].admin("PUT", "/admin/organisation", RULES)
        yield opened


def stream(max_tokens: int) -> dict[str, Any]:
    messages = [{"role": "user", "content": "hi"}]
    return {"model": "@openai/m", "max_tokens": max_tokens, "stream": True, "messages": messages}


async def test_a_stream_waits_for_its_extension(nodes: Nodes, provider: Provider) -> None:
    """What it needs next is lent to another process, which does not use it: the stream has it a moment later, and
    comes to its own end."""
    key = await nodes.planes["one"].key(usage_limits={"credit_limit": 20})
    provider.go_on.clear()
    call = nodes.planes["one"].call(key, stream(12_000))
    await provider.half.wait()
    await borrow_all(nodes, "two", key, 20 * DOLLAR - 8_000 * NANOS_PER_TOKEN)
    provider.go_on.set()
    reply = await call.reply()
    assert reply.body.count(b"x" * 100) == WORDS
    [record] = await nodes.planes["one"].records()
    assert (record.outcome, record.cost) == (Outcome.OK, 2_500 * NANOS_PER_TOKEN)


async def test_a_stream_that_can_have_no_more_is_cut(nodes: Nodes, provider: Provider) -> None:
    """All processes together have no more: it ends as at its length limit, within the budget."""
    key = await nodes.planes["one"].key(usage_limits={"credit_limit": 6})
    provider.go_on.clear()
    reply = await nodes.planes["one"].call(key, stream(12_000)).reply()
    provider.go_on.set()
    assert b'"finish_reason":"length"' in reply.body
    [record] = await nodes.planes["one"].records()
    assert record.outcome is Outcome.CUT
    assert record.cost <= 6 * DOLLAR
