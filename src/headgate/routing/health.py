"""How targets are doing: what is under way there, how long their answers take, and whether they are let rest.

A target that fails again and again is *ejected*: calls that can go elsewhere do. After a while one call may probe it;
if that goes well it is back, else it rests twice as long. Pure: time is handed in.
"""

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from headgate.base.clock import NANOS_PER_SECOND, Clock

MOST: Final = 10_000
"""Targets remembered. Beyond, those at rest are forgotten."""


@dataclass(frozen=True, slots=True)
class HealthRules:
    """When a target is ejected, and for how long. Seconds."""

    in_a_row: int = 5
    """Failures without a success in between."""
    share: float = 0.5
    """Of recent answers, failures; once there are `least` of them."""
    least: int = 20
    recent_s: float = 30
    rest_s: float = 5
    """The first ejection; each that follows a failed probe is twice as long."""
    longest_rest_s: float = 300
    throttled_s: float = 60
    """The longest that a provider's own word (`Retry-After`) keeps calls away."""
    forgets_s: float = 10
    """In so long a latency loses two thirds of its weight."""


class TargetHealth:
    """Of one target. What is under way is `begin` and, whatever happened, `end`."""

    __slots__ = (
        "_bad", "_cost", "_counted_at", "_ejections", "_good", "_in_a_row", "_measured_at", "_probing", "_rests_until",
        "_rules", "_throttled_until", "pending",
    )  # fmt: skip

    def __init__(self, rules: HealthRules) -> None:
        self._rules = rules
        self.pending = 0
        self._cost = 0.0  # nanoseconds: the peak of latency, decaying
        self._measured_at = 0
        self._good = self._bad = 0.0  # recent answers, decaying
        self._counted_at = 0
        self._in_a_row = 0
        self._ejections = 0
        self._rests_until = 0
        self._throttled_until = 0
        self._probing = False

    def admits(self, now: int) -> bool:
        """Whether a call that could go elsewhere should come here."""
        if now < self._throttled_until or now < self._rests_until:
            return False
        return self._ejections == 0 or not self._probing

    def available_at(self) -> int:
        """The moment (monotonic) from which it is to be tried again."""
        return max(self._throttled_until, self._rests_until)

    def why_resting(self, now: int) -> str:
        """Empty where it is not; for people."""
        if now < self._rests_until:
            return "it failed again and again"
        if now < self._throttled_until:
            return "its provider asked to be left alone"
        return "one call probes it" if self._ejections and self._probing else ""

    def load(self, now: int) -> float:
        """What one more call here would cost: latency times all who would share it. Nobody known is fastest."""
        return self._latency(now) * (self.pending + 1)

    def begin(self, now: int) -> None:
        self.pending += 1
        if self._ejections and now >= self._rests_until:
            self._probing = True

    def end(self, now: int, good: bool | None, took: int = 0, wait_s: float | None = None) -> None:
        """`good` None: nothing was learned of it. `took` is how long a good answer took to begin, in nanoseconds;
        `wait_s` how long the provider itself asks to be left alone."""
        self.pending -= 1
        self._probing = False
        if wait_s is not None:
            pause = min(wait_s, self._rules.throttled_s)
            self._throttled_until = max(self._throttled_until, now + int(pause * NANOS_PER_SECOND))
        if good is None:
            return
        self._count(good, now)
        if good:
            self._measure(took, now)
            self._in_a_row = self._ejections = 0
            return
        self._in_a_row += 1
        if self._ejections or self._has_failed_enough():
            self._eject(now)

    def _has_failed_enough(self) -> bool:
        rules, seen = self._rules, self._good + self._bad
        return self._in_a_row >= rules.in_a_row or (seen >= rules.least and self._bad >= rules.share * seen)

    def _eject(self, now: int) -> None:
        rest = min(self._rules.rest_s * 2**self._ejections, self._rules.longest_rest_s)
        self._rests_until = now + int(rest * NANOS_PER_SECOND)
        self._ejections = min(self._ejections + 1, 32)
        self._good = self._bad = 0.0

    def _count(self, good: bool, now: int) -> None:
        kept = math.exp(-(now - self._counted_at) / (self._rules.recent_s * NANOS_PER_SECOND))
        self._good, self._bad, self._counted_at = self._good * kept + good, self._bad * kept + (not good), now

    def _measure(self, took: int, now: int) -> None:
        """A peak counts at once, and is forgotten slowly."""
        known = self._latency(now)
        kept = math.exp(-(now - self._measured_at) / (self._rules.forgets_s * NANOS_PER_SECOND))
        self._cost = took if took > known else self._cost * kept + took * (1 - kept)
        self._measured_at = now

    def _latency(self, now: int) -> float:
        return self._cost * math.exp(-max(now - self._measured_at, 0) / (self._rules.forgets_s * NANOS_PER_SECOND))


class Health:
    """Of all targets of one process, by any name that tells them apart."""

    def __init__(self, clock: Clock, rules: HealthRules | None = None) -> None:
        self._clock = clock
        self._rules = rules or HealthRules()
        self._known: dict[Hashable, TargetHealth] = {}

    def of(self, name: Hashable) -> TargetHealth:
        found = self._known.get(name)
        if found is None:
            if len(self._known) >= MOST:
                self._known = {known: each for known, each in self._known.items() if each.pending}
            found = self._known[name] = TargetHealth(self._rules)
        return found

    def admits(self, name: Hashable) -> bool:
        """Whether a call that could go elsewhere should go there."""
        found = self._known.get(name)
        return found is None or found.admits(self._clock.monotonic())

    def resting(self) -> list[tuple[Hashable, str, int]]:
        """Those that are passed over now: name, why, and for how many nanoseconds."""
        now = self._clock.monotonic()
        found = [(name, each, each.why_resting(now)) for name, each in self._known.items()]
        return [(name, why, max(each.available_at() - now, 0)) for name, each, why in found if why]
