"""When a delivery is tried again."""

import pytest

from headgate.alerts.retries import is_dead, next_attempt_at
from headgate.base.clock import NANOS_PER_SECOND

DAY = 86_400


def pauses(random: float) -> list[float]:
    """Seconds between attempts that take no time, until it is given up."""
    now, attempts, found = 0, 1, []
    while (at := next_attempt_at(attempts, 0, now, lambda: random)) is not None:
        found.append((at - now) / NANOS_PER_SECOND)
        now, attempts = at, attempts + 1
    return found


def test_pauses_grow_fourfold_up_to_half_a_day_for_three_days() -> None:
    """A receiver that is down over a weekend gets everything afterwards."""
    assert pauses(0.0) == [5, 20, 80, 320, 1280, 5120, 20480, *[43200] * 5]
    assert 2.5 * DAY <= sum(pauses(0.0)) <= 3 * DAY


def test_chance_makes_pauses_longer_by_up_to_a_fifth() -> None:
    """So that what failed together does not come back together."""
    assert pauses(1.0)[:3] == [6, 24, 96]
    assert sum(pauses(1.0)) <= 3 * DAY


@pytest.mark.parametrize("attempts", [1, 50, 10_000])
def test_nothing_is_tried_beyond_three_days(attempts: int) -> None:
    """However few or many attempts it took."""
    assert next_attempt_at(attempts, 0, 3 * DAY * NANOS_PER_SECOND, lambda: 0.0) is None


def test_a_webhook_is_dead_after_two_days_or_when_it_says_so() -> None:
    """410 Gone is a receiver's way to unsubscribe."""
    assert is_dead(503, 0, (2 * DAY - 1) * NANOS_PER_SECOND) is None
    assert is_dead(503, 0, 2 * DAY * NANOS_PER_SECOND) == "Nothing got through for 2 days."
    assert is_dead(410, 0, 0) == "It answered 410 Gone."
