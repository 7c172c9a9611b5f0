"""The points of a graph, where its organization is."""

from itertools import pairwise

import pytest

from headgate.analytics.points import points_of
from headgate.base.clock import NANOS_PER_SECOND
from headgate.tenancy.moments import from_iso, to_iso

HOUR = 3_600 * NANOS_PER_SECOND


@pytest.mark.parametrize(
    ("since", "until", "count", "step"),
    [
        ("2027-01-01T00:00:00Z", "2027-01-02T00:00:00Z", 96, HOUR // 4),
        ("2027-01-01T00:10:00Z", "2027-01-02T00:10:01Z", 25, HOUR),
        ("2027-01-01T00:00:00Z", "2027-01-31T00:00:00Z", 30, 24 * HOUR),
    ],
)
def test_the_length_of_a_graph_says_its_step(since: str, until: str, count: int, step: int) -> None:
    """A day in quarters of an hour, a week in hours, months in days; a point that has begun before is the first."""
    starts = points_of(from_iso(since, "a"), from_iso(until, "b"), "UTC").starts
    assert len(starts) == count
    assert {after - before for before, after in pairwise(starts)} == {step}
    assert starts[0] <= from_iso(since, "a")


def test_days_begin_at_midnight_there_through_a_change_of_clocks() -> None:
    """The day on which Berlin's clocks go forward has 23 hours."""
    points = points_of(from_iso("2027-03-20T00:00:00Z", "a"), from_iso("2027-04-05T00:00:00Z", "b"), "Europe/Berlin")
    steps = [after - before for before, after in pairwise(points.starts)]
    assert sorted(set(steps)) == [23 * HOUR, 24 * HOUR]
    assert steps.count(23 * HOUR) == 1
    assert points.whole_days


def test_years_are_in_months() -> None:
    """From the first of each, there."""
    points = points_of(from_iso("2026-01-01T00:00:00Z", "a"), from_iso("2027-01-01T00:00:00Z", "b"), "Asia/Kathmandu")
    assert len(points.starts) == 13
    assert to_iso(points.starts[1]) == "2026-01-31T18:15:00.000Z"


def test_every_moment_has_its_point() -> None:
    """The last before or at it."""
    points = points_of(0, 24 * HOUR, "UTC")
    assert [points.index(at) for at in (-1, 0, HOUR // 4 - 1, HOUR // 4, 24 * HOUR)] == [0, 0, 0, 1, 95]
