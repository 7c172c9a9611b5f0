"""Batches where processes share allowances: what one did not use is there again, for all of them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.batches import PATIENCE_S, batch, books_agree, corrected, left, line, seen
from tests.support.databases import create_postgres_database
from tests.support.services import postgres_url
from tests.support.stand import Stand, standing
from tests.support.valkey import valkey_server

__all__ = ["postgres_url"]


@pytest.fixture
async def stand(tmp_path: Path, postgres_url: str) -> AsyncIterator[Stand]:
    database_url = await create_postgres_database(postgres_url)
    with valkey_server() as server:
        async with standing(tmp_path, database_url=database_url, redis_url=server.url) as opened:
            await opened.price("sim-fast", request_token=0.01, response_token=0.1)
            yield opened


async def test_what_a_batch_did_not_use_can_be_spent(stand: Stand) -> None:
    """It was charged at the most that it could cost, and so nothing else fitted; now it is what it did cost, with the
    authority that all processes ask as in the records."""
    key = await stand.key(usage_limits=[{"credit_limit": 1.05}, {"credit_limit": 2, "periodic_reset": "monthly"}])
    before = await left(stand, key)
    made = await batch(stand, key, line(1, max_tokens=1000))
    held = (await stand.record(made)).cost
    assert await left(stand, key) == [each - held for each in before]
    call = {"model": "@openai/sim-fast", "max_tokens": 500, "messages": json.loads(line(1))["body"]["messages"]}
    assert (await stand.call(key, "/chat/completions", call)).status in (412, 429)
    await seen(stand, key, made)
    record = await corrected(stand, made)
    assert record.cost < held
    until = time.monotonic() + PATIENCE_S
    while await left(stand, key) != [each - record.cost for each in before]:
        assert time.monotonic() < until
        await asyncio.sleep(0.01)  # why: the authority hears of it right after the record is written
    assert (await stand.call(key, "/chat/completions", call)).status == 200
    await books_agree(stand)
