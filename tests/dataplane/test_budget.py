"""A budget under many calls at once: not a cent above it, and next to nothing of it lost."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from headgate.base.money import NANOS_PER_USD
from tests.support.asgi import Reply
from tests.support.plane import Client, Plane, completion, open_plane
from tests.support.raw_server import Peer

DOLLAR = {"usage_limits": {"credit_limit": 1}}
PRICES = {"request_token": 0.0, "response_token": 0.01}
"""Nothing for input, a hundredth of a cent for each token of output: a hundred tokens are a cent."""


def chat(max_tokens: int = 100, **more: object) -> dict[str, Any]:
    return {"model": "@openai/m", "max_tokens": max_tokens, "messages": [{"role": "user", "content": "hi"}], **more}


async def nothing_held(plane: Plane, key: str) -> dict[str, Any]:
    """The customer's one budget, which nobody holds anything of."""
    [budget] = await plane.limits(key)
    assert budget["held"] == 0
    return budget


async def test_as_many_as_the_budget_is_worth_and_not_one_more(tmp_path: Path) -> None:
    """1,000 calls at once, each of which costs exactly the cent it holds, on a dollar: 100 get in."""

    async def play(peer: Peer, body: dict[str, Any]) -> None:
        await peer.answer(completion("x" * 100, 3, 100))

    async with open_plane(tmp_path, play) as plane:
        await plane.integrate("openai", {"m": PRICES})
        key = await plane.key(**DOLLAR)
        replies = await asyncio.gather(*(plane.call(key, chat()).reply() for _ in range(1000)))
        statuses = [reply.status for reply in replies]
        assert statuses.count(200) == 100
        assert statuses.count(429) + statuses.count(412) == 900
        assert len(plane.asked) == 100
        records = await plane.records()
        assert sum(record.cost for record in records) == NANOS_PER_USD
        assert {record.cost for record in records} == {NANOS_PER_USD // 100}
        budget = await nothing_held(plane, key)
        assert (budget["used_usd"], budget["left"]) == ("1.000000000", 0)
        spent = await plane.call(key, chat()).reply()
        assert spent.status == 412


async def test_callers_who_come_back_use_it_up(tmp_path: Path) -> None:
    """Where calls take a fraction of what they hold, those who are told to come back in a moment find room, until
    less is left than a call may cost: at least 95 % is used, and never more than all."""

    async def play(peer: Peer, body: dict[str, Any]) -> None:
        await peer.answer(completion("x" * 30, 3, 30 + len(plane.asked) % 20))

    async def persistent(key: str) -> list[int]:
        statuses = []
        while True:
            reply = await plane.call(key, chat(400)).reply()
            statuses.append(reply.status)
            if reply.status == 412:
                return statuses
            if reply.status == 429:
                assert reply.headers["retry-after"] == "1"
                await asyncio.sleep(0)  # the test's own time: what matters is that others end in between

    async with open_plane(tmp_path, play) as plane:
        await plane.integrate("openai", {"m": PRICES})
        key = await plane.key(**DOLLAR)
        came = await asyncio.gather(*(persistent(key) for _ in range(50)))
        assert any(429 in statuses for statuses in came)
        used = sum(record.cost for record in await plane.records())
        assert 0.95 * NANOS_PER_USD <= used <= NANOS_PER_USD
        assert (await nothing_held(plane, key))["used"] == used


def waiting(plane: Plane, key: str, count: int) -> list[Client]:
    return [plane.call(key, chat(user=f"number {number}")) for number in range(count)]


@pytest.fixture
def gate() -> asyncio.Semaphore:
    """How many answers the provider may give."""
    return asyncio.Semaphore(0)


@pytest.fixture
def play(gate: asyncio.Semaphore) -> Any:
    async def play(peer: Peer, body: dict[str, Any]) -> None:
        await gate.acquire()
        await peer.answer(completion("x", 3, 1))

    return play


async def asked(plane: Plane, count: int) -> list[str]:
    """Who reached the provider, once so many have."""
    while len(plane.asked) < count:  # noqa: ASYNC110 - the provider's own list is the event
        await asyncio.sleep(0)
    return [body.get("user", "") for body in plane.asked]


CENT = {"usage_limits": {"credit_limit": 0.01}}


async def test_calls_wait_their_turn(tmp_path: Path, gate: asyncio.Semaphore, play: Any) -> None:
    """Room for one at a time: each settlement lets the longest waiting in, until less is left than a call may cost."""
    async with open_plane(tmp_path, play) as plane:
        await plane.integrate("openai", {"m": {"request_token": 0.0, "response_token": 0.0001}})
        await plane.admin("PUT", "/admin/organisation", {"admission": {"hold_wait_ms": 20_000}})
        key = await plane.key(rate_limits=[{"type": "in_flight", "value": 1}])
        calls = waiting(plane, key, 6)
        for number in range(6):
            assert await asked(plane, number + 1) == [f"number {each}" for each in range(number + 1)]
            gate.release()
            assert (await calls[number].reply()).status == 200


async def test_who_hangs_up_leaves_the_queue(tmp_path: Path, gate: asyncio.Semaphore, play: Any) -> None:
    """At once, with nothing sent, held or recorded; who stood behind is next."""
    async with open_plane(tmp_path, play) as plane:
        await plane.integrate("openai", {"m": PRICES})
        await plane.admin("PUT", "/admin/organisation", {"admission": {"hold_wait_ms": 20_000}})
        key = await plane.key(**CENT)
        calls = waiting(plane, key, 3)
        await asked(plane, 1)
        calls[1].hang_up()
        await calls[1].task
        assert calls[1].sent == []
        gate.release()
        gate.release()
        first, third = await calls[0].reply(), await calls[2].reply()
        assert (first.status, third.status) == (200, 412)  # 99 % of the cent is left, and the next may cost all of it
        assert len(await plane.records()) == 1
        await nothing_held(plane, key)


async def test_nobody_waits_longer_than_the_rules_say(tmp_path: Path, gate: asyncio.Semaphore, play: Any) -> None:
    """Then it is refused as if it had not waited: 429, for others hold what it needs. A refusal takes nothing."""
    async with open_plane(tmp_path, play) as plane:
        await plane.integrate("openai", {"m": PRICES})
        await plane.admin("PUT", "/admin/organisation", {"admission": {"hold_wait_ms": 50}})
        key = await plane.key(**CENT)
        first, second = waiting(plane, key, 2)
        refused = await second.reply()
        assert (refused.status, refused.json["error"]["code"]) == (429, "held")
        assert refused.headers["retry-after"] == "1"
        assert refused.headers["x-headgate-source"] == "gateway"
        gate.release()
        assert (await first.reply()).status == 200
        assert [body["user"] for body in plane.asked] == ["number 0"]


async def test_waiting_is_not_tried_where_it_cannot_help(tmp_path: Path, play: Any) -> None:
    """A spent budget, and a call larger than the budget, are refused at once."""
    async with open_plane(tmp_path, play) as plane:
        await plane.integrate("openai", {"m": PRICES})
        await plane.admin("PUT", "/admin/organisation", {"admission": {"hold_wait_ms": 60_000}})
        key = await plane.key(**CENT)
        async with asyncio.timeout(10):
            refused: Reply = await plane.call(key, chat(101)).reply()
        assert (refused.status, refused.json["error"]["details"]["left"]) == (412, "$0.010000")


async def test_draining_ends_the_wait(tmp_path: Path, gate: asyncio.Semaphore, play: Any) -> None:
    """Who still waits at the deadline is told that the gateway shuts down, and holds nothing."""
    async with open_plane(tmp_path, play) as plane:
        await plane.integrate("openai", {"m": PRICES})
        await plane.admin("PUT", "/admin/organisation", {"admission": {"hold_wait_ms": 60_000}})
        key = await plane.key(**CENT)
        _, second = waiting(plane, key, 2)
        await asked(plane, 1)
        await plane.gateway.drain(0)
        assert (await second.reply()).status == 503
        assert len(await plane.records()) == 1
