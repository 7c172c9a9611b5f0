"""One of several targets: by weight, by how they are doing, or by what a call has in common with those before it.

Where all weights are equal, the better of two taken by chance (their latency times their calls under way): nearly as
good as knowing the best, and no herd runs to it. Where an administrator has set shares, the shares are what counts.
Pure: time and chance are handed in.
"""

import hashlib
import math
from collections.abc import Callable, Hashable, Sequence

from headgate.base.clock import Clock
from headgate.routing.health import Health

Chance = Callable[[], float]
"""Evenly from 0 up to, and without, 1."""


class Balancer:
    """One per process."""

    def __init__(self, health: Health, clock: Clock, chance: Chance) -> None:
        self._health = health
        self._clock = clock
        self._chance = chance

    def pick(self, names: Sequence[Hashable], weights: Sequence[int], sticky: bytes | None = None) -> int:
        """The place of the one to go to. `weights` has one above 0 at least; one that is 0 is never picked.

        Targets that are ejected or throttled are left out while any other is there. `sticky`: calls with the same
        bytes go to the same target as long as the same targets are there.
        """
        able = [place for place, weight in enumerate(weights) if weight]
        able = [place for place in able if self._health.admits(names[place])] or able
        if len(able) == 1:
            return able[0]
        if sticky is not None:
            return max(able, key=lambda place: _score(sticky, names[place], weights[place]))
        if len({weights[place] for place in able}) == 1:
            return self._better_of_two(able, names)
        return self._by_weight(able, weights)

    def _better_of_two(self, able: Sequence[int], names: Sequence[Hashable]) -> int:
        now = self._clock.monotonic()
        first = int(self._chance() * len(able))
        second = int(self._chance() * (len(able) - 1))
        one, other = able[first], able[second + (second >= first)]
        return min(one, other, key=lambda place: self._health.of(names[place]).load(now))

    def _by_weight(self, able: Sequence[int], weights: Sequence[int]) -> int:
        left = self._chance() * sum(weights[place] for place in able)
        for place in able:
            left -= weights[place]
            if left < 0:
                return place
        return able[-1]


def _score(sticky: bytes, name: Hashable, weight: int) -> float:
    """Weighted rendezvous hashing: when a target goes, only its own calls move."""
    digest = hashlib.blake2b(sticky + b"\0" + repr(name).encode(), digest_size=8).digest()
    unit = (int.from_bytes(digest) + 1) / 2**64
    return weight / -math.log(unit) if unit < 1 else math.inf
