"""Gateways that share allowances: one PostgreSQL, one Valkey, and never more than the cap between them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from tests.support.nodes import Nodes, open_nodes
from tests.support.plane import completion
from tests.support.raw_server import Peer
from tests.support.services import postgres_url
from tests.support.valkey import Valkey, valkey_server

__all__ = ["postgres_url"]

PRICES = {"request_token": 0.0, "response_token": 0.1}
"""Nothing for input, a tenth of a cent for each token of output."""
NANOS_PER_TOKEN = 1_000_000
DOLLAR = 1_000_000_000
MESSAGES = [{"role": "user", "content": "hi"}]


@pytest.fixture
def authority() -> Iterator[Valkey]:
    with valkey_server() as server:
        yield server


async def play(peer: Peer, body: dict[str, Any]) -> None:
    """Uses half of what it may."""
    await peer.answer(completion("x", 3, body["max_tokens"] // 2))


@pytest.fixture
async def nodes(tmp_path: Path, authority: Valkey, postgres_url: str) -> AsyncIterator[Nodes]:
    async with open_nodes(tmp_path, postgres_url, authority.url, play, "one", "two") as opened:
        await opened.planes["one"].integrate("openai", {"m": PRICES})
        yield opened


def body(max_tokens: int) -> dict[str, Any]:
    return {"model": "@openai/m", "max_tokens": max_tokens, "messages": MESSAGES}


async def spend(nodes: Nodes, key: str, callers: int, calls: int) -> dict[int, int]:
    """From all nodes at once; how often each status came."""
    statuses: dict[int, int] = {}

    async def caller(name: str) -> None:
        for _ in range(calls):
            reply = await nodes.planes[name].call(key, body(20)).reply()
            statuses[reply.status] = statuses.get(reply.status, 0) + 1

    await asyncio.gather(*(caller(name) for name in nodes.planes for _ in range(callers)))
    return statuses


async def spent(nodes: Nodes) -> int:
    for plane in nodes.planes.values():
        await plane.gateway.usage.flush()
    return sum(record.cost for record in await next(iter(nodes.planes.values())).records())


async def test_two_gateways_spend_one_dollar(nodes: Nodes) -> None:
    """Calls that hold twice what they cost, more than the budget has room for, from both at once: never over it, and
    nearly all of it."""
    key = await nodes.planes["one"].key(usage_limits={"credit_limit": 1})
    statuses = await spend(nodes, key, 10, 10)
    assert set(statuses) <= {200, 412, 429}
    assert 0.95 * DOLLAR <= await spent(nodes) <= DOLLAR


async def test_one_is_started_again(nodes: Nodes) -> None:
    """What the first life used counts in the next, what it had borrowed and not used is there for both."""
    key = await nodes.planes["one"].key(usage_limits={"credit_limit": 0.1})
    for name in ("one", "two", "one"):
        assert (await nodes.planes[name].call(key, body(20)).reply()).status == 200
    await nodes.stop("one")
    [two] = await nodes.planes["two"].limits(key)
    assert (two["used"], two["held"]) == (30 * NANOS_PER_TOKEN, 0)
    await nodes.start("one")
    statuses = await spend(nodes, key, 2, 10)
    assert statuses[200] == 6  # after three such; there is half of what one more would have to hold
    assert await spent(nodes) == 90 * NANOS_PER_TOKEN


async def test_flushed_in_the_middle(nodes: Nodes, authority: Valkey) -> None:
    """The authority forgets all it knew while both spend: it is told again, and nothing is spent twice."""
    key = await nodes.planes["one"].key(usage_limits={"credit_limit": 1})
    spending = asyncio.get_running_loop().create_task(spend(nodes, key, 10, 20))
    await nodes.reached(40)
    redis = Redis.from_url(authority.url)
    await redis.flushall()
    await redis.aclose()
    statuses = await spending
    assert set(statuses) <= {200, 412, 429}
    assert 0.95 * DOLLAR <= await spent(nodes) <= DOLLAR


async def test_killed_in_the_middle(nodes: Nodes, authority: Valkey) -> None:
    """While it is away calls are let in on what was borrowed, or refused with 503; once it is back, as ever."""
    key = await nodes.planes["one"].key(usage_limits={"credit_limit": 1})
    spending = asyncio.get_running_loop().create_task(spend(nodes, key, 5, 10))
    await nodes.reached(20)
    authority.kill()
    statuses = await spending
    assert set(statuses) <= {200, 412, 429, 503}
    assert await spent(nodes) <= DOLLAR
    authority.start()
    for name in nodes.planes:
        await nodes.sharing(name).borrowing.look()
    statuses = await spend(nodes, key, 10, 20)
    assert set(statuses) <= {200, 412, 429}
    assert 0.95 * DOLLAR <= await spent(nodes) <= DOLLAR
