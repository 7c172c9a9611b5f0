"""When the same target is tried again, and when not: a pause with full jitter, and a budget for each origin.

A count alone makes an outage worse: a thousand calls that each try four times are four thousand. So retries are also
a share of an origin's calls. Pure: time and chance are handed in.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.routing.balancer import Chance

MOST_ORIGINS: Final = 10_000


@dataclass(frozen=True, slots=True)
class RetryRules:
    """Seconds, and shares of the calls to an origin."""

    share: float = 0.2
    """So many retries for each call."""
    at_rest: float = 10
    """Retries that may come at once, where an origin has few calls."""
    each_s: float = 10
    """Beside its share an origin gets one retry in so long."""
    first_pause_s: float = 0.5
    longest_pause_s: float = 8
    longest_wait_s: float = 60
    """The longest that a provider's own word is waited for; where it asks for more, nothing is tried again."""


class RetryBudget:
    """A bucket of tokens for one origin."""

    __slots__ = ("_at", "_rules", "_tokens")

    def __init__(self, rules: RetryRules, now: int) -> None:
        self._rules = rules
        self._tokens = rules.at_rest
        self._at = now

    def call(self, now: int) -> None:
        """A call begins."""
        self._fill(self._rules.share, now)

    def take(self, now: int) -> bool:
        """Whether one more retry is within the budget; it is spent then."""
        self._fill(0, now)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _fill(self, more: float, now: int) -> None:
        passed = (now - self._at) / NANOS_PER_SECOND / self._rules.each_s
        self._tokens, self._at = min(self._tokens + more + passed, self._rules.at_rest), now


class Retries:
    """One per process."""

    def __init__(self, clock: Clock, chance: Chance, rules: RetryRules | None = None) -> None:
        self._clock = clock
        self._chance = chance
        self._rules = rules or RetryRules()
        self._budgets: dict[Hashable, RetryBudget] = {}

    def call(self, origin: Hashable) -> None:
        """A call begins at this origin."""
        self._budget(origin).call(self._clock.monotonic())

    def pause(self, origin: Hashable, retry: int, asked_s: float | None) -> float | None:
        """Seconds to wait before retry number `retry` (from 1). None: it is not to be tried again.

        `asked_s` is what the provider said. It is waited in full, and up to a tenth more, lest all come back at once.
        """
        rules = self._rules
        if asked_s is not None and asked_s > rules.longest_wait_s:
            return None
        if not self._budget(origin).take(self._clock.monotonic()):
            return None
        if asked_s is not None:
            return asked_s * (1 + 0.1 * self._chance())
        return self._chance() * min(rules.first_pause_s * (1 << (retry - 1)), rules.longest_pause_s)

    def _budget(self, origin: Hashable) -> RetryBudget:
        found = self._budgets.get(origin)
        if found is None:
            if len(self._budgets) >= MOST_ORIGINS:
                self._budgets.clear()
            found = self._budgets[origin] = RetryBudget(self._rules, self._clock.monotonic())
        return found
