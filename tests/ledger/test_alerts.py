"""Which thresholds are told when: pure decisions."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.ledger.alerts import ABSOLUTE, DEFAULT_PERCENTS, Threshold, crossing, thresholds_of


def names(found: Sequence[Threshold]) -> list[str]:
    return [each.name for each in found]


def test_thresholds_are_percents_of_the_cap_and_the_amount_an_administrator_wrote() -> None:
    """The lowest first; a percent is rounded up, so that it is never told too early."""
    assert thresholds_of(100, 85, DEFAULT_PERCENTS) == (
        Threshold("80%", 80),
        Threshold(ABSOLUTE, 85),
        Threshold("90%", 90),
        Threshold("100%", 100),
    )
    assert thresholds_of(3, None, (50,)) == (Threshold("50%", 2),)


@pytest.mark.parametrize(("cap", "absolute"), [(0, None), (0, 0)])
def test_a_cap_of_zero_has_nothing_to_tell(cap: int, absolute: int | None) -> None:
    """It blocks from the start: no use can ever come near it."""
    assert thresholds_of(cap, absolute, DEFAULT_PERCENTS) == ()


@pytest.mark.parametrize(
    ("before", "after", "told", "reached"),
    [
        (0, 79, {}, []),
        (0, 80, {}, ["80%"]),
        (79, 95, {}, ["80%", "90%"]),
        (80, 85, {"80%": 80}, []),
        (85, 120, {"80%": 80}, ["90%", "100%"]),
        (92, 93, {"80%": 80, "90%": 90, "100%": 100}, []),
        (100, 130, {"80%": 80, "90%": 90, "100%": 100}, []),
    ],
)
def test_a_threshold_is_told_when_it_is_reached_and_not_again(
    before: int, after: int, told: dict[str, int], reached: list[str]
) -> None:
    """Several at once where one call jumps over them."""
    assert names(crossing(thresholds_of(100, None, DEFAULT_PERCENTS), before, after, told).reached) == reached


def test_a_raised_cap_arms_those_that_are_no_longer_reached() -> None:
    """With 95 of 100 used, raised to 110: 80 % (88) stays told, 90 % (99) is armed again and told when reached."""
    raised = thresholds_of(110, None, DEFAULT_PERCENTS)
    told = {"80%": 80, "90%": 90}
    again = crossing(raised, 95, 100, told)
    assert names(again.reached) == ["90%"]
    assert again.rearmed == {"90%"}
    assert crossing(raised, 95, 98, told).reached == ()


def test_a_lowered_cap_is_told_with_the_next_call() -> None:
    """What lies below the use already was never crossed, and is told all the same."""
    assert names(crossing(thresholds_of(50, None, DEFAULT_PERCENTS), 60, 61, {}).reached) == ["80%", "90%", "100%"]


@given(st.lists(st.integers(0, 40), max_size=30), st.sets(st.integers(1, 100), max_size=5), st.integers(1, 300))
def test_each_threshold_is_told_exactly_when_and_only_once(steps: list[int], percents: set[int], cap: int) -> None:
    """Whatever the steps: in the end exactly those are told that the use reached, each once, at the step that did."""
    thresholds = thresholds_of(cap, None, sorted(percents))
    told: dict[str, int] = {}
    used = 0
    for step in steps:
        reached = crossing(thresholds, used, used + step, told).reached
        assert all(used < each.amount <= used + step for each in reached)
        assert not told.keys() & set(names(reached))
        told |= {each.name: each.amount for each in reached}
        used += step
    assert sorted(told) == sorted(each.name for each in thresholds if each.amount <= used)
