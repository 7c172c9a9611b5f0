"""Batches that end late, or never: in the period they were charged in, and not for ever."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from headgate.base.clock import NANOS_PER_SECOND
from headgate.storage.corrections import NOT_READ
from tests.support.batches import batch, books_agree, corrected, left, line, seen
from tests.support.stand import Stand, standing

DAY_S = 86_400
SUNDAY = round(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp())


class Shifted:
    """Both clocks go on as the machine's, from a Sunday on, and leap when told."""

    def __init__(self) -> None:
        self._wall = SUNDAY * NANOS_PER_SECOND - time.time_ns()
        self._steady = 0

    def now(self) -> int:
        return time.time_ns() + self._wall

    def monotonic(self) -> int:
        return time.monotonic_ns() + self._steady

    def leap(self, seconds: int) -> None:
        self._wall += seconds * NANOS_PER_SECOND
        self._steady += seconds * NANOS_PER_SECOND


@pytest.fixture
def clock() -> Shifted:
    return Shifted()


@pytest.fixture
async def stand(tmp_path: Path, clock: Shifted) -> AsyncIterator[Stand]:
    async with standing(tmp_path, clock) as opened:
        await opened.price("sim-fast", request_token=0.01, response_token=0.1)
        yield opened


async def test_what_comes_back_late_comes_back_to_its_own_period(stand: Stand, clock: Shifted) -> None:
    """A week that is over gets it, and the present one does not; a lifetime does."""
    key = await stand.key(usage_limits=[{"credit_limit": 100}, {"credit_limit": 90, "periodic_reset": "weekly"}])
    made = await batch(stand, key, line(1, max_tokens=1000), ends="waits")
    held = (await stand.record(made)).cost
    before = await left(stand, key)
    clock.leap(DAY_S)
    assert await left(stand, key) == [before[0], before[1] + held]
    await stand.call(key, f"/batches/{made.json['id']}/cancel")
    record = await corrected(stand, made)
    assert record.cost == 0
    assert await left(stand, key) == [before[0] + held, before[1] + held]
    await books_agree(stand)


async def test_what_cannot_be_read_stays_charged_as_held(stand: Stand, clock: Shifted) -> None:
    """Results that do not say what they used are asked for again, and after a week given up, which the record says."""
    key = await stand.key()
    await stand.price("sim-no-usage", request_token=0.01, response_token=0.1)
    made = await batch(stand, key, line(1, model="sim-no-usage"))
    record = await stand.record(made)
    assert (await seen(stand, key, made))["status"] == "completed"
    clock.leap(8 * DAY_S)
    await seen(stand, key, made)
    given_up = await corrected(stand, made, NOT_READ)
    assert (given_up.cost, given_up.usage, given_up.usage_source) == (record.cost, record.usage, "estimated")
    await books_agree(stand)
