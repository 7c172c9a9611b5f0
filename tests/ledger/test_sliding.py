"""Sliding windows are honest: never more than the cap in any interval of their length, wherever it starts."""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.base.clock import NANOS_PER_MS, NANOS_PER_SECOND
from headgate.ledger.allowance import Amounts, Resource, Window, WindowKind
from headgate.ledger.counter import Cell
from headgate.ledger.hold import Held
from headgate.ledger.ledger import LocalLedger
from headgate.ledger.sliding import GRAINS
from headgate.ledger.window import counter_for
from tests.support.ledger import MINUTE, KeptEntries, ManualClock, allowance, record

RPM = allowance("rpm", Resource.REQUESTS, 100, MINUTE)
LENGTH = 60 * NANOS_PER_SECOND


def admitted(arrivals: Iterator[int]) -> list[int]:
    """Of calls that come at these moments (ns) to 100 requests per minute: the moments of those that were let in."""
    clock = ManualClock()
    ledger = LocalLedger(clock, KeptEntries())
    moments = []
    now = 0
    for number, at in enumerate(arrivals):
        clock.pass_ns(at - now)
        now = at
        name = f"call {number}"
        if isinstance(ledger.hold(name, [RPM], Amounts()), Held):
            moments.append(at)
            ledger.settle(name, Amounts(), record(name))
    return moments


def in_interval(moments: list[int], start: int, length: int = LENGTH) -> int:
    """How many lie in [start, start + length)."""
    return bisect_left(moments, start + length) - bisect_left(moments, start)


def every(step: int, until: int) -> Iterator[int]:
    return iter(range(0, until, step))


@pytest.mark.parametrize("per_minute", [100, 101, 110, 120])
def test_steady_demand_gets_all_but_two_percent(per_minute: int) -> None:
    """For ten minutes, in the 60 s from every millisecond on: never more than 100, and never fewer than 98."""
    moments = admitted(every(LENGTH // per_minute, 10 * LENGTH))
    counts = [in_interval(moments, start) for start in range(0, 9 * LENGTH, NANOS_PER_MS)]
    assert 98 <= min(counts) <= max(counts) <= 100


@pytest.mark.parametrize("per_minute", [150, 200, 600, 6_000])
def test_too_much_demand_gets_all_but_two_percent_of_the_time(per_minute: int) -> None:
    """Far over the limit what passes comes in bursts: never more than 100 in any 60 s, 98 a minute over ten."""
    moments = admitted(every(LENGTH // per_minute, 10 * LENGTH))
    assert max(in_interval(moments, start) for start in range(0, 9 * LENGTH, NANOS_PER_MS)) <= 100
    assert len(moments) >= 10 * 98


@pytest.mark.parametrize("per_minute", [10, 50, 97, 98])
def test_steady_demand_within_the_limit_is_never_refused(per_minute: int) -> None:
    """An amount counts up to a sixtieth of the window too long, and no longer: 98 of 100 always pass."""
    step = LENGTH // per_minute
    assert len(admitted(every(step, 10 * LENGTH))) == len(range(0, 10 * LENGTH, step))


@pytest.mark.parametrize("seed", range(20))
def test_bursts_never_pass_the_cap_in_any_interval(seed: int) -> None:
    """Intervals that begin at an admitted call are the fullest; random bursts around the edges of the window."""
    random = Random(seed)
    at, arrivals = 0, []
    while at < 10 * LENGTH:
        burst = random.choice((1, 5, 60, 120))
        arrivals += [at + index for index in range(burst)]
        at += burst + random.choice((0, 1, NANOS_PER_SECOND, LENGTH // 2, LENGTH - 1, LENGTH, LENGTH + 1))
    moments = admitted(iter(arrivals))
    assert len(moments) >= 100
    assert max(in_interval(moments, start) for start in moments) <= 100


def test_a_burst_is_free_again_one_window_later_to_the_nanosecond() -> None:
    """No edge to burst over, and nothing kept longer than it must be."""
    burst = [0] * 150
    assert len(admitted(iter([*burst, *([LENGTH - 1] * 50)]))) == 100
    assert len(admitted(iter([*burst, *([LENGTH] * 150)]))) == 200


def test_memory_is_constant() -> None:
    """However many calls, at most 62 cells; none but the newest once they are over."""
    counter = counter_for(RPM, 0, 0)
    cells = counter.span._cells  # type: ignore[attr-defined]
    steps = [Random(1).choice((1, 10_000_000, NANOS_PER_SECOND, NANOS_PER_SECOND + 1)) for _ in range(20_000)]
    now, most = 0, 0
    for step in steps:
        now += step
        counter.total_at(0, now)
        counter.settle(counter.take(1, now), 1, 1, now)
        most = max(most, len(cells))
    assert 50 < most <= GRAINS + 2
    counter.total_at(0, now + 2 * LENGTH)
    assert (len(cells), counter.total) == (1, 0)


def exact(taken: list[tuple[int, int]], now: int, length: int) -> int:
    """What was taken within the length before now: the truth that a counter may exceed by a sixtieth of its length."""
    return sum(amount for at, amount in taken if at > now - length)


def test_every_small_case() -> None:
    """All spacings of five takes around the edges of window and cell: what counts is between the exact amounts."""
    for steps in product((0, 1, 10, 59, 60, 61), repeat=4):
        check_spacing(steps)


def check_spacing(steps: tuple[int, ...]) -> None:
    second = allowance("second", Resource.COST, 10**9, Window(WindowKind.SLIDING, seconds=1))
    length, grain = NANOS_PER_SECOND, NANOS_PER_SECOND // GRAINS
    counter = counter_for(second, 0, 0)
    now = 0
    taken: list[tuple[int, int]] = []
    for index, step in enumerate((0, *steps)):
        now += step * grain
        before = counter.total_at(0, now)
        assert exact(taken, now, length) <= before <= exact(taken, now, length + grain)
        counter.settle(counter.take(10**index, now), 10**index, 10**index, now)
        taken.append((now, 10**index))


@given(st.data())
def test_what_counts_is_what_was_taken_in_the_window(data: st.DataObject) -> None:
    """Takes, settlements and extensions at random moments: between the exact amount and that of a sixtieth longer.

    What is held counts in any case; what is settled at less, at the lesser amount; at more, the rest from then on.
    """
    tokens = allowance("tokens", Resource.TOKENS, 10**9, Window(WindowKind.SLIDING, seconds=60))
    counter = counter_for(tokens, 0, 0)
    grain, now = LENGTH // GRAINS, 0
    taken: list[tuple[int, int]] = []
    under_way: list[tuple[int, int, Cell]] = []
    for _ in range(data.draw(st.integers(1, 30))):
        now += data.draw(st.sampled_from((0, 1, grain - 1, grain, 7 * grain + 3, LENGTH - 1, LENGTH, 2 * LENGTH)))
        total = counter.total_at(0, now)
        held_now = sum(held for _, held, _ in under_way)
        assert exact(taken, now, LENGTH) + held_now <= total <= exact(taken, now, LENGTH + grain) + held_now
        amount = data.draw(st.integers(0, 50))
        ends = data.draw(st.booleans())
        if under_way and ends:
            at, held, cell = under_way.pop(data.draw(st.integers(0, len(under_way) - 1)))
            counter.settle(cell, held, amount, now)
            taken.append((at, min(held, amount)))
            if amount > held:
                taken.append((now, amount - held))
        else:
            under_way.append((now, amount, counter.take(amount, now)))


def test_the_past_is_restored_where_it_was() -> None:
    """After a restart the window goes on: what usage records say leaves when it would have left."""
    counter = counter_for(RPM, 0, 0)
    wall, steady = 10**18, 5 * NANOS_PER_SECOND
    ago = [(wall - seconds * NANOS_PER_SECOND, 1) for seconds in (61, 59, 31, 30, 1)]
    counter.span.restore(counter, ago, wall, steady)
    left = [counter.total_at(wall, steady + seconds * NANOS_PER_SECOND) for seconds in (0, 1, 29, 30, 31, 59, 60)]
    assert left == [4, 3, 2, 1, 1, 0, 0]


def test_use_that_is_dated_in_the_future_counts_from_now() -> None:
    """The wall clock may have been set back since."""
    counter = counter_for(RPM, 0, 0)
    counter.span.restore(counter, [(10**18 + LENGTH, 3)], 10**18, 0)
    assert counter.total_at(0, LENGTH - 1) == 3
    assert counter.total_at(0, LENGTH) == 0


def test_a_window_without_length_is_refused_by_name() -> None:
    """Bad input names the field."""
    with pytest.raises(ValueError, match=r"window\.seconds"):
        counter_for(allowance("x", Resource.REQUESTS, 1, Window(WindowKind.SLIDING, seconds=0)), 0, 0)
