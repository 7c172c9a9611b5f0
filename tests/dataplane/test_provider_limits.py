"""A provider's own limits and its end, with the whole gateway."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.plane import Plane, completion, open_plane
from tests.support.raw_server import Peer

PRICES = {"request_token": 0.01, "response_token": 0.01}


def chat(provider: str) -> dict[str, Any]:
    return {"model": f"@{provider}/m", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[Plane]:
    """One integration under two names; `batch` takes two requests in all."""

    async def play(peer: Peer, body: dict[str, Any]) -> None:
        await peer.answer(completion("x", 10, 20))

    async with open_plane(tmp_path, play) as opened:
        await opened.integrate("openai", {"m": PRICES})
        body = {"name": "batch", "integration_id": "openai", "workspace_id": "default"}
        limit = {"type": "requests", "credit_limit": 2}
        await opened.admin("POST", "/providers", body | {"usage_limits": limit})
        yield opened


async def test_its_budget_stops_what_goes_under_its_name_only(plane: Plane) -> None:
    """The refusal names it; the same integration goes on under its other name; a reset opens it again."""
    key = await plane.key()
    for _ in range(2):
        assert (await plane.call(key, chat("batch")).reply()).status == 200
    refused = await plane.call(key, chat("batch")).reply()
    assert refused.status == 412
    allowance = refused.json["error"]["details"]["allowance"]
    assert (allowance["scope"], allowance["name"]) == ("provider", "batch")
    assert (await plane.call(key, chat("openai")).reply()).status == 200
    shown = await plane.admin("GET", "/providers/batch")
    assert (shown["status"], shown["usage_limits"]["current_usage"]) == ("exhausted", 2)
    assert (await plane.admin("GET", "/providers/openai"))["status"] == "active"
    assert [each["name"] for each in await plane.limits(key)] == ["batch"]
    await plane.admin("PUT", "/providers/batch", {"reset_usage": True})
    assert (await plane.call(key, chat("batch")).reply()).status == 200


async def test_a_name_made_again_begins_at_nothing(plane: Plane) -> None:
    """What went under another provider's name does not count against the new one."""
    key = await plane.key()
    for _ in range(2):
        assert (await plane.call(key, chat("batch")).reply()).status == 200
    await plane.records()
    await plane.admin("DELETE", "/providers/batch")
    assert (await plane.call(key, chat("batch")).reply()).status == 404
    body = {"name": "batch", "integration_id": "openai", "workspace_id": "default"}
    await plane.admin("POST", "/providers", body | {"usage_limits": {"type": "requests", "credit_limit": 1}})
    assert (await plane.call(key, chat("batch")).reply()).status == 200
    assert (await plane.call(key, chat("batch")).reply()).status == 412


async def test_the_multiplied_price_is_charged(plane: Plane) -> None:
    """Line by line, and the record says by what."""
    adjustments = {"pricing_adjustments": {"multiplier": {"default": 1.5, "response_token": 2}}}
    await plane.admin("PUT", "/integrations/openai", adjustments)
    key = await plane.key(usage_limits={"credit_limit": 5})
    assert (await plane.call(key, chat("openai")).reply()).status == 200
    (record,) = await plane.records()
    assert {line[0]: (line[1], line[3]) for line in record.cost_lines} == {
        "input": (10, 10 * 150_000),
        "output": (20, 20 * 200_000),
    }
    assert record.price_id.endswith("*default=1.5,output=2")
