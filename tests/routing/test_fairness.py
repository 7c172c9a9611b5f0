"""One greedy tenant and nine modest ones at a provider with twenty places, in virtual time: who waits how long."""

import heapq
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

import pytest

from headgate.base.clock import NANOS_PER_SECOND
from headgate.routing.gate import Gate
from headgate.routing.place import Place, TurnedAway
from headgate.tenancy.capacity import Capacity
from tests.support.ledger import ManualClock

PLACES = 20
SECONDS = 1_500
TAKES_S = 2.0
"""A call, on average."""
MODEST = [f"modest{number}" for number in range(9)]
SHARE = PLACES / TAKES_S / 10
"""Calls in a second: a tenth of what the provider can do."""
CAPACITY = Capacity(max_concurrency=PLACES, max_wait_ms=60_000)


@dataclass(slots=True)
class World:
    """Calls that arrive by chance, each at its tenant's rate, and take as long as chance says."""

    seed: int
    rates: dict[str, float]
    fair: bool = True
    took: dict[str, list[float]] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)

    def play(self) -> "World":
        chance, clock = Random(self.seed), ManualClock()
        gate, numbers, began = Gate(CAPACITY, clock), itertools.count(), clock.monotonic()
        events: list[tuple[int, int, str, float, Place | None]] = []

        def at(seconds: float, who: str, arrived: float, place: Place | None = None) -> None:
            moment = began + round(seconds * NANOS_PER_SECOND)
            heapq.heappush(events, (moment, next(numbers), who, arrived, place))

        def leaves(who: str, arrived: float, place: Place) -> None:
            now = (clock.monotonic() - began) / NANOS_PER_SECOND
            at(now + chance.expovariate(1 / TAKES_S), who, arrived, place)

        def arrive(who: str, now: float) -> None:
            held: list[Place] = []
            try:
                place = gate.enter(
                    who if self.fair else "all",
                    1,
                    1_000,
                    lambda away: leaves(who, now, held[0]) if away is None else None,
                )
            except TurnedAway:
                self.refused[who] = self.refused.get(who, 0) + 1
                return
            held.append(place)
            if place.taken is not None:
                leaves(who, now, place)

        for who, rate in self.rates.items():
            for moment in arrivals(Random(f"{self.seed} {who}"), rate):
                at(moment, who, moment)
        while events:
            moment, _, who, arrived, place = heapq.heappop(events)
            clock.pass_ns(moment - clock.monotonic())
            if place is None:
                arrive(who, arrived)
            else:
                self.took.setdefault(who, []).append((moment - began) / NANOS_PER_SECOND - arrived)
                gate.end(place, 1_000)
        assert gate.idle
        return self

    def p99(self) -> float:
        """Seconds, of all modest calls."""
        took = sorted(itertools.chain.from_iterable(self.took[who] for who in MODEST))
        return took[int(len(took) * 0.99)]


def arrivals(chance: Random, rate: float) -> Iterator[float]:
    moment = chance.expovariate(rate)
    while moment < SECONDS:
        yield moment
        moment += chance.expovariate(rate)


@pytest.mark.parametrize("seed", range(2))
def test_a_greedy_tenant_does_not_move_the_others_p99(seed: int) -> None:
    """It asks for a hundred times its share, and they for half of theirs: their p99 moves by no more than a tenth, none
    of theirs is refused, and what they leave is the greedy one's. In one queue for all they would wait seconds more."""
    modest = dict.fromkeys(MODEST, SHARE / 2)
    alone = World(seed, modest).play()
    fair = World(seed, {**modest, "greedy": 100 * SHARE}).play()
    assert fair.p99() <= 1.1 * alone.p99()
    assert set(fair.refused) == {"greedy"}
    assert len(fair.took["greedy"]) > 0.5 * SECONDS * 10 * SHARE
    one_queue = World(seed, {**modest, "greedy": 100 * SHARE}, fair=False).play()
    assert one_queue.p99() > 1.5 * alone.p99()
