"""Histograms that are text."""

from random import Random

import pytest

from headgate.analytics import latency
from headgate.base.clock import NANOS_PER_MS

WORST = 2**0.125 - 1
"""Half a slot, with four slots to a doubling."""


def histogram(values: list[int]) -> str:
    return "".join(map(latency.slot_of, values))


@pytest.mark.parametrize("seed", range(5))
def test_a_percentile_is_off_by_nine_percent_at_most(seed: int) -> None:
    """Of any latencies from a millisecond to fifteen minutes, however their texts were put together."""
    random = Random(seed)
    values = [int(NANOS_PER_MS * 2 ** random.uniform(0, 19.7)) for _ in range(random.randrange(1, 2_000))]
    middle = len(values) // 2
    found = latency.read(latency.tidy(histogram(values[:middle])) + histogram(values[middle:]))
    for percent in (1, 50, 90, 99, 100):
        exact = sorted(values)[-(-len(values) * percent // 100) - 1]
        assert latency.percentile(found, percent) == pytest.approx(exact, rel=WORST)


def test_one_text_behind_the_other_is_both() -> None:
    """That is how a database merges them."""
    one, other = histogram([5 * NANOS_PER_MS] * 3), histogram([5 * NANOS_PER_MS] * 12 + [90 * NANOS_PER_MS])
    merged = latency.read(latency.tidy(one) + latency.tidy(other))
    assert sum(merged.values()) == 16
    assert merged == latency.read(one + other) | {}
    assert len(latency.tidy(one + other)) == 4


def test_extremes_have_a_slot() -> None:
    """Nothing at all, and hours."""
    assert latency.slot_of(0) == latency.SLOTS[0]
    assert latency.slot_of(10**15) == latency.SLOTS[-1]
    assert latency.percentile({}, 50) == 0
