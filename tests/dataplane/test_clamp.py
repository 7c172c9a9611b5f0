"""A call that does not fit gets a smaller output limit, where the rules allow it: as much as is affordable."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.plane import Plane, completion, open_plane
from tests.support.raw_server import Peer

PRICES = {"request_token": 0.0, "response_token": 0.01}
"""Nothing for input, a hundredth of a cent for each token of output."""
MESSAGES = [{"role": "user", "content": "hi"}]


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[Plane]:
    """A provider that always uses the whole output it may, in both formats."""

    async def play(peer: Peer, body: dict[str, Any]) -> None:
        limit = body.get("max_tokens") or body.get("max_completion_tokens") or body["max_output_tokens"]
        await peer.answer(completion("x" * limit, 3, limit))

    async with open_plane(tmp_path, play) as opened:
        await opened.integrate("openai", {"m": PRICES})
        await opened.admin("PUT", "/admin/organisation", {"admission": {"clamp_min_output": 40}})
        yield opened


async def test_the_output_is_as_large_as_the_budget_allows(plane: Plane) -> None:
    """To the token: the limit that was sent, told and held is the largest that costs no more than what is left."""
    key = await plane.key(usage_limits={"credit_limit": 0.01234})
    reply = await plane.call(key, {"model": "@openai/m", "max_tokens": 4000, "messages": MESSAGES}).reply()
    assert reply.status == 200
    assert plane.asked[-1]["max_tokens"] == 123
    assert reply.headers["x-headgate-max-tokens"] == "123"
    assert reply.headers["x-headgate-cost-usd"] == "0.012300"
    assert reply.headers["x-headgate-budget-remaining-usd"] == "0.000040"
    [record] = await plane.records()
    assert record.cost == 12_300_000


async def test_below_the_least_it_is_refused(plane: Plane) -> None:
    """And nothing is sent: an answer that short would be of no use."""
    key = await plane.key(usage_limits={"credit_limit": 0.0039})
    reply = await plane.call(key, {"model": "@openai/m", "max_tokens": 4000, "messages": MESSAGES}).reply()
    assert reply.status == 412
    assert "x-headgate-max-tokens" not in reply.headers
    assert plane.asked == []


async def test_token_limits_count_too(plane: Plane) -> None:
    """The tightest decides, whichever resource it is of; all choices count."""
    limits = [{"type": "output_tokens", "unit": "rpm", "value": 150}]
    key = await plane.key(usage_limits={"credit_limit": 1}, rate_limits=limits)
    body = {"model": "@openai/m", "max_completion_tokens": 4000, "n": 2, "messages": MESSAGES}
    assert (await plane.call(key, body).reply()).headers["x-headgate-max-tokens"] == "75"
    assert plane.asked[-1]["max_completion_tokens"] == 75


async def test_every_name_the_client_used_is_clamped(plane: Plane) -> None:
    """A limit under another name must not stay larger; where the client set none, the provider's name is used."""
    key = await plane.key(rate_limits=[{"type": "output_tokens", "unit": "rps", "value": 50}])
    both = {"model": "@openai/m", "max_tokens": 900, "max_completion_tokens": 800, "messages": MESSAGES}
    assert (await plane.call(key, both).reply()).status == 200
    assert (plane.asked[-1]["max_tokens"], plane.asked[-1]["max_completion_tokens"]) == (50, 50)
    unlimited = await plane.key(rate_limits=[{"type": "output_tokens", "unit": "rps", "value": 60}])
    assert (await plane.call(unlimited, {"model": "@openai/m", "messages": MESSAGES}).reply()).status == 200
    assert plane.asked[-1]["max_completion_tokens"] == 60


async def test_what_output_has_no_part_in_is_refused(plane: Plane) -> None:
    """A request limit, or an input that does not fit, is not cured by a shorter answer."""
    none = await plane.key(rate_limits=[{"type": "requests", "unit": "rpm", "value": 0}])
    small = await plane.key(rate_limits=[{"type": "input_tokens", "unit": "rpm", "value": 10}])
    for key in (none, small):
        reply = await plane.call(key, {"model": "@openai/m", "max_tokens": 50, "messages": MESSAGES}).reply()
        assert reply.status == 429
        assert reply.json["error"]["details"]["allowance"]["resource"] in ("requests", "input_tokens")


async def test_a_call_that_fits_keeps_its_limit(plane: Plane) -> None:
    """Nothing is clamped that need not be."""
    key = await plane.key(usage_limits={"credit_limit": 1})
    reply = await plane.call(key, {"model": "@openai/m", "max_tokens": 400, "messages": MESSAGES}).reply()
    assert (reply.status, plane.asked[-1]["max_tokens"]) == (200, 400)
    assert "x-headgate-max-tokens" not in reply.headers


async def test_thinking_is_not_cut_short(tmp_path: Path) -> None:
    """A model that was given a budget to think needs more than that: less is refused here, not at the provider."""

    async def play(peer: Peer, body: dict[str, Any]) -> None:
        usage = {"input_tokens": 3, "output_tokens": body["max_tokens"]}
        await peer.answer(b'{"type":"message","content":[],"usage":%b}' % str(usage).replace("'", '"').encode())

    async with open_plane(tmp_path, play) as plane:
        await plane.integrate("anthropic", {"m": PRICES})
        await plane.admin("PUT", "/admin/organisation", {"admission": {"clamp_min_output": 1}})
        body = {
            "model": "@anthropic/m",
            "max_tokens": 4000,
            "thinking": {"type": "enabled", "budget_tokens": 1024},
            "messages": MESSAGES,
        }
        tight = await plane.key(usage_limits={"credit_limit": 0.1})
        assert (await plane.call(tight, body, "/v1/messages").reply()).status == 412
        enough = await plane.key(usage_limits={"credit_limit": 0.11})
        assert (await plane.call(enough, body, "/v1/messages").reply()).status == 200
        assert plane.asked[-1]["max_tokens"] == 1100


async def test_a_call_that_waited_is_clamped_to_what_came_free(tmp_path: Path) -> None:
    """Its turn comes as soon as its least output fits: it does not wait on for the whole of what it asked for."""
    gate = asyncio.Event()

    async def play(peer: Peer, body: dict[str, Any]) -> None:
        await gate.wait()
        await peer.answer(completion("x", 3, 60))

    async with open_plane(tmp_path, play) as plane:
        await plane.integrate("openai", {"m": PRICES})
        rules = {"clamp_min_output": 40, "hold_wait_ms": 20_000}
        await plane.admin("PUT", "/admin/organisation", {"admission": rules})
        key = await plane.key(usage_limits={"credit_limit": 0.01})
        body = {"model": "@openai/m", "max_tokens": 100, "messages": MESSAGES}
        first = plane.call(key, body)
        while not plane.asked:  # noqa: ASYNC110 - the provider's own list is the event
            await asyncio.sleep(0)
        second = plane.call(key, {**body, "max_tokens": 90})
        await asyncio.sleep(0)
        gate.set()
        assert (await first.reply()).status == 200
        reply = await second.reply()
        assert (reply.status, reply.headers["x-headgate-max-tokens"]) == (200, "40")
