"""A model without a price, where a cost budget applies: refused, unless an administrator said otherwise."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.plane import Plane, completion, open_plane
from tests.support.raw_server import Peer

BUDGET = {"usage_limits": {"credit_limit": 1}}
CALL = {"model": "@openai/unheard-of", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}
PRICES = {"pay_as_you_go": {"request_token": {"price": 0.01}, "response_token": {"price": 0.1}}}


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[Plane]:
    async def play(peer: Peer, body: dict[str, Any]) -> None:
        await peer.answer(completion("x", 3, 50))

    async with open_plane(tmp_path, play) as opened:
        await opened.integrate("openai", {"unheard-of": None})
        yield opened


async def test_it_is_refused(plane: Plane) -> None:
    """No free models: the refusal says why, and nothing is sent."""
    reply = await plane.call(await plane.key(**BUDGET), CALL).reply()
    assert (reply.status, reply.json["error"]["code"]) == (412, "cost_not_bounded")
    assert plane.asked == []


async def test_without_a_budget_it_passes_and_is_marked(plane: Plane) -> None:
    """There is nothing it could exceed; its record says that its cost is not known."""
    assert (await plane.call(await plane.key(), CALL).reply()).status == 200
    [record] = await plane.records()
    assert (record.cost, record.usage_flags) == (0, ("unpriced:input", "unpriced:output"))


async def test_an_administrator_may_let_it_pass(plane: Plane) -> None:
    """Flagged as what it is: let through although a budget applies."""
    await plane.admin("PUT", "/admin/organisation", {"admission": {"unpriced": "allow"}})
    reply = await plane.call(await plane.key(**BUDGET), CALL).reply()
    assert reply.status == 200
    [record] = await plane.records()
    assert record.cost == 0
    assert record.usage_flags == ("cost_not_bounded", "unpriced:input", "unpriced:output")
    assert "x-headgate-cost-usd" not in reply.headers  # nobody knows


async def test_a_fallback_price_bounds_and_bills(plane: Plane) -> None:
    """Held at the fallback price, charged at it, and the record says which price it was."""
    await plane.admin("PUT", "/admin/organisation", {"admission": {"unpriced": PRICES}})
    key = await plane.key(usage_limits={"credit_limit": 0.1})
    assert (await plane.call(key, CALL).reply()).status == 200
    [record] = await plane.records()
    assert (record.price_id, record.usage_flags) == ("fallback", ())
    assert record.cost == 3 * 100_000 + 50 * 1_000_000
    refused = await plane.call(key, CALL).reply()
    assert (refused.status, refused.json["error"]["code"]) == (412, "04")


async def test_a_known_price_wins_over_the_fallback(plane: Plane) -> None:
    """The fallback is for models that have none."""
    await plane.admin("PUT", "/admin/organisation", {"admission": {"unpriced": PRICES}})
    priced = {"pay_as_you_go": {"request_token": {"price": 0}, "response_token": {"price": 0}}}
    models = [{"slug": "unheard-of", "enabled": True, "is_custom": True, "pricing_config": priced}]
    await plane.admin("PUT", "/integrations/openai/models", {"models": models})
    assert (await plane.call(await plane.key(**BUDGET), CALL).reply()).status == 200
    [record] = await plane.records()
    assert (record.cost, record.price_id.split(":")[0]) == (0, "custom")


async def test_tokens_without_a_bound_stay_refused(plane: Plane) -> None:
    """`allow` is about money: a token limit that applies to what has no bound refuses it all the same."""
    await plane.admin("PUT", "/admin/organisation", {"admission": {"unpriced": "allow"}})
    key = await plane.key(rate_limits=[{"type": "tokens", "unit": "rpm", "value": 100_000}])
    part = {"type": "file", "file": {"file_id": "file_1"}}
    reply = await plane.call(key, {**CALL, "messages": [{"role": "user", "content": [part]}]}).reply()
    assert (reply.status, reply.json["error"]["code"]) == (412, "use_not_bounded")
