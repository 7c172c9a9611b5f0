"""A limit that is set while calls are under way: they count in it, each once, and none is forgotten."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from headgate.base.clock import SystemClock
from headgate.ledger.recovery import Replay
from headgate.storage.verification import verify
from tests.support.plane import Plane, completion, open_plane
from tests.support.raw_server import Peer

CENT = 10_000_000
PRICES = {"request_token": 0.0, "response_token": 0.01}
"""A hundred tokens are a cent."""


class Gate:
    """Calls that have come, and the moment from which they are answered."""

    def __init__(self) -> None:
        self.arrived = asyncio.Semaphore(0)
        self.opened = asyncio.Event()

    async def play(self, peer: Peer, body: dict[str, Any]) -> None:
        """Half of what it may, so that what was held and what was used are not the same."""
        self.arrived.release()
        await self.opened.wait()
        await peer.answer(completion("x", 3, int(body["max_tokens"]) // 2))


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
async def plane(tmp_path: Path, gate: Gate) -> AsyncIterator[Plane]:
    async with open_plane(tmp_path, gate.play) as opened:
        await opened.integrate("openai", {"m": PRICES})
        yield opened


def chat(max_tokens: int = 200) -> dict[str, Any]:
    return {"model": "@openai/m", "max_tokens": max_tokens, "messages": [{"role": "user", "content": "hi"}]}


async def new_key(plane: Plane) -> tuple[str, str]:
    """In the clear, and its path."""
    body = {"name": "customer", "workspace_id": "default", "scopes": ["completions.write"]}
    made = await plane.admin("POST", "/api-keys/workspace/service", body)
    return made["key"], f"/api-keys/{made['id']}"


async def standing(plane: Plane, key: str) -> dict[tuple[str, str], tuple[int, int]]:
    """Used and held, by resource and window."""
    return {(each["resource"], each["window"]): (each["used"], each["held"]) for each in await plane.limits(key)}


async def test_calls_under_way_count_in_a_limit_that_is_newly_set(plane: Plane, gate: Gate) -> None:
    """At what they hold from the moment it is set, and at what they came to when they end; so do those that ended just
    before. What they left is there for others, and not a cent more."""
    key, path = await new_key(plane)
    first = plane.call(key, chat())
    await gate.arrived.acquire()
    gate.opened.set()
    assert (await first.reply()).status == 200
    gate.opened.clear()
    second = plane.call(key, chat())
    await gate.arrived.acquire()
    rates = [
        {"type": "requests", "unit": "rpm", "value": 9},
        {"type": "output_tokens", "unit": "rpm", "value": 900},
        {"type": "in_flight", "value": 2},
    ]
    await plane.admin("PUT", path, {"usage_limits": {"credit_limit": 0.04}, "rate_limits": rates})
    found = await standing(plane, key)
    assert found["cost", "lifetime"] == (CENT, 2 * CENT)
    assert sum(found["requests", "60-second"]) == 2
    assert found["output_tokens", "60-second"] == (100, 200)
    assert found["in_flight", "now"] == (0, 1)
    refused = await plane.call(key, chat()).reply()
    assert (refused.status, refused.json["error"]["code"]) == (429, "held")
    gate.opened.set()
    assert (await second.reply()).status == 200
    found = await standing(plane, key)
    assert found["cost", "lifetime"] == (2 * CENT, 0)
    assert sum(found["requests", "60-second"]) == 2
    assert found["output_tokens", "60-second"] == (200, 0)
    assert found["in_flight", "now"] == (0, 0)
    assert (await plane.call(key, chat()).reply()).status == 200
    assert (await plane.call(key, chat()).reply()).status == 412


async def test_a_limit_that_was_taken_away_and_is_set_again_has_missed_nothing(plane: Plane, gate: Gate) -> None:
    """Calls of the time between count, those that are still under way too."""
    key, path = await new_key(plane)
    limits = {"usage_limits": {"credit_limit": 1}, "rate_limits": [{"type": "in_flight", "value": 9}]}
    none: dict[str, object] = {"usage_limits": None, "rate_limits": []}
    await plane.admin("PUT", path, limits)
    assert (await standing(plane, key))["cost", "lifetime"] == (0, 0)
    await plane.admin("PUT", path, none)
    calls = [plane.call(key, chat()) for _ in range(3)]
    for _ in calls:
        await gate.arrived.acquire()
    await plane.admin("PUT", path, limits)
    found = await standing(plane, key)
    assert (found["cost", "lifetime"], found["in_flight", "now"]) == ((0, 6 * CENT), (0, 3))
    gate.opened.set()
    for each in calls:
        await each.reply()
    found = await standing(plane, key)
    assert (found["cost", "lifetime"], found["in_flight", "now"]) == ((3 * CENT, 0), (0, 0))


async def test_a_call_of_another_owner_does_not_count(plane: Plane, gate: Gate) -> None:
    """A tenant's new budget knows its own calls, whatever key they came with, and nobody else's."""
    await plane.admin("POST", "/admin/tenants", {"tenant_id": "acme", "workspace_id": "default"})
    own, others = await plane.key(tenant_id="acme"), await plane.key()
    calls = [plane.call(key, chat()) for key in (own, others)]
    for _ in calls:
        await gate.arrived.acquire()
    budget = {"credit_limit": 1, "periodic_reset": "monthly"}
    await plane.admin("PUT", "/admin/tenants/acme", {"usage_limits": budget})
    assert (await standing(plane, own))["cost", "monthly"] == (0, 2 * CENT)
    gate.opened.set()
    for each in calls:
        await each.reply()
    assert (await standing(plane, own))["cost", "monthly"] == (CENT, 0)


async def test_another_time_zone_and_back_again(plane: Plane, gate: Gate) -> None:
    """Another name and then the one before, within a month: each time all of its calls count, and the books agree."""
    body = {"usage_limits": {"credit_limit": 1, "periodic_reset": "monthly"}}
    key, path = await new_key(plane)
    await plane.admin("PUT", path, body)
    gate.opened.set()
    for count, zone in enumerate(("UTC", "Etc/GMT", "UTC", "Etc/GMT"), start=1):
        await plane.admin("PUT", "/admin/organisation", {"time_zone": zone})
        assert (await plane.call(key, chat()).reply()).status == 200
        assert (await standing(plane, key))["cost", "monthly"] == (count * CENT, 0)
    await plane.records()
    found = await plane.gateway.database.read(lambda connection: verify(connection, Replay(), SystemClock().now()))
    assert found.differences == []
