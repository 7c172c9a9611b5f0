"""What a customer sees of its limits: with its own key, and in the headers of every answer."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.plane import STREAM_HEAD as HEAD
from tests.support.plane import Plane, chunk, completion, delta, open_plane
from tests.support.raw_server import Peer

PRICES = {"request_token": 0.0, "response_token": 0.01}
"""Nothing for input, a hundredth of a cent for each token of output."""
LAST = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"completion_tokens":40}}\n\n'


def chat(max_tokens: int = 100, **more: object) -> dict[str, Any]:
    return {"model": "@openai/m", "max_tokens": max_tokens, "messages": [{"role": "user", "content": "hi"}], **more}


@pytest.fixture
async def gate() -> asyncio.Event:
    """Until it is set, the provider does not answer."""
    return asyncio.Event()


@pytest.fixture
async def plane(tmp_path: Path, gate: asyncio.Event) -> AsyncIterator[Plane]:
    async def play(peer: Peer, body: dict[str, Any]) -> None:
        await gate.wait()
        if body.get("stream"):
            await peer.send(HEAD + chunk(delta("x")) + chunk(LAST) + chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")
        else:
            await peer.answer(completion("x", 3, 40))

    async with open_plane(tmp_path, play) as opened:
        await opened.integrate("openai", {"m": PRICES})
        yield opened


def by_scope(limits: list[dict[str, Any]]) -> dict[tuple[str, str, str], dict[str, Any]]:
    return {(each["scope"], each["resource"], each["window"]): each for each in limits}


async def test_all_that_applies_and_nothing_else(plane: Plane) -> None:
    """The key's, its tenant's, its workspace's and the integrations' there. Not the organization's: what all customers
    together may use is not for one of them; nor anything of another tenant."""
    budget, rate = {"credit_limit": 5, "periodic_reset": "monthly"}, {"type": "tokens", "unit": "rpm", "value": 9_000}
    await plane.admin("PUT", "/admin/organisation", {"usage_limits": budget})
    await plane.admin("PUT", "/admin/workspaces/default", {"rate_limits": [rate]})
    for name in ("acme", "other"):
        tenant = {"tenant_id": name, "name": name, "workspace_id": "default", "usage_limits": {"credit_limit": 2}}
        await plane.admin("POST", "/admin/tenants", tenant)
    access = {"id": "default", "enabled": True, "usage_limits": {"credit_limit": 3, "periodic_reset": "daily"}}
    await plane.admin("PUT", "/integrations/openai/workspaces", {"workspaces": [access]})
    key = await plane.key(tenant_id="acme", rate_limits=[{"type": "in_flight", "value": 4}])
    found = by_scope(await plane.limits(key))
    assert set(found) == {
        ("workspace", "tokens", "60-second"),
        ("tenant", "cost", "lifetime"),
        ("api_key", "in_flight", "now"),
        ("integration", "cost", "daily"),
    }
    assert found["tenant", "cost", "lifetime"]["name"] == "acme"
    assert found["integration", "cost", "daily"]["name"] == "openai"


async def test_used_held_and_left(plane: Plane, gate: asyncio.Event) -> None:
    """While a call is under way what it may take is held; after it, what it took is used. In the resource's unit, and
    money in dollars besides."""
    limits = {"usage_limits": {"credit_limit": 1.5, "periodic_reset": "weekly"}}
    key = await plane.key(**limits, rate_limits=[{"type": "requests", "unit": "rpm", "value": 10}])
    call = plane.call(key, chat())
    while not plane.asked:  # noqa: ASYNC110 - the provider's own list is the event
        await asyncio.sleep(0)
    during = by_scope(await plane.limits(key))
    gate.set()
    await call.reply()
    after = by_scope(await plane.limits(key))
    budget = during["api_key", "cost", "weekly"]
    assert (budget["used"], budget["held"], budget["left"]) == (0, 10_000_000, 1_490_000_000)
    assert during["api_key", "requests", "60-second"]["held"] == 1
    budget = after["api_key", "cost", "weekly"]
    assert (budget["used_usd"], budget["held_usd"]) == ("0.004000000", "0.000000000")
    assert (budget["left_usd"], budget["limit_usd"]) == ("1.496000000", "1.500000000")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00.000Z", budget["resets_at"])
    requests = after["api_key", "requests", "60-second"]
    assert (requests["limit"], requests["used"], requests["left"]) == (10, 1, 9)
    assert "limit_usd" not in requests


async def test_a_key_without_limits_sees_none(plane: Plane) -> None:
    """An empty list; and without a key nobody sees anything."""
    assert await plane.limits(await plane.key()) == []
    assert (await plane.call("nobody", None, "/v1/limits").reply()).status == 401


def standing(headers: Any) -> dict[str, str]:
    return {name: value for name, value in headers.items() if "ratelimit" in name or "budget" in name}


@pytest.mark.parametrize("stream", [False, True])
async def test_every_answer_tells_the_tightest(plane: Plane, gate: asyncio.Event, stream: bool) -> None:
    """Of each kind the one with the least left, as of now; a stream's head goes out while the call still holds."""
    gate.set()
    await plane.admin("PUT", "/admin/organisation", {"usage_limits": {"credit_limit": 0.5}})
    await plane.admin("PUT", "/admin/workspaces/default", {"usage_limits": {"credit_limit": 2}})
    rates = [
        {"type": "requests", "unit": "rpm", "value": 60},
        {"type": "requests", "unit": "rph", "value": 50},
        {"type": "tokens", "unit": "rpm", "value": 100_000},
        {"type": "output_tokens", "unit": "rpm", "value": 1_000},
    ]
    key = await plane.key(usage_limits={"credit_limit": 1}, rate_limits=rates)
    reply = await plane.call(key, chat(stream=stream)).reply()
    assert reply.status == 200
    told = standing(reply.headers)
    assert 3_598 <= int(told.pop("x-ratelimit-reset-requests").removesuffix("s")) <= 3_600
    assert 58 <= int(told.pop("x-ratelimit-reset-tokens").removesuffix("s")) <= 60
    assert told == {
        "x-ratelimit-limit-requests": "50",
        "x-ratelimit-remaining-requests": "49",
        "x-ratelimit-limit-tokens": "1000",
        "x-ratelimit-remaining-tokens": "900" if stream else "960",
        "x-headgate-budget-remaining-usd": "0.990000" if stream else "0.996000",
        "x-headgate-budget-used-usd": "0.010000" if stream else "0.004000",
    }


async def test_refusals_tell_it_too(plane: Plane, gate: asyncio.Event) -> None:
    """Of whatever kind; and they took nothing."""
    gate.set()
    rates = [{"type": "requests", "unit": "rpm", "value": 1}]
    key = await plane.key(usage_limits={"credit_limit": 1}, rate_limits=rates)
    unknown = await plane.call(key, {**chat(), "model": "@nobody/m"}).reply()
    assert (unknown.status, unknown.headers["x-ratelimit-remaining-requests"]) == (404, "1")
    assert (await plane.call(key, chat()).reply()).status == 200
    refused = await plane.call(key, chat()).reply()
    assert refused.status == 429
    assert refused.headers["x-ratelimit-remaining-requests"] == "0"
    assert refused.headers["x-headgate-budget-remaining-usd"] == "0.996000"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    models = await plane.call(key, None, "/v1/models").reply()
    assert models.headers["x-ratelimit-remaining-requests"] == "0"


async def test_where_no_limit_applies_nothing_is_told(plane: Plane, gate: asyncio.Event) -> None:
    """And an organization's limit is not told to its customers."""
    gate.set()
    await plane.admin("PUT", "/admin/organisation", {"usage_limits": {"credit_limit": 0.5}})
    reply = await plane.call(await plane.key(), chat()).reply()
    assert (reply.status, standing(reply.headers)) == (200, {})
    assert reply.headers["x-headgate-cost-usd"] == "0.004000"
