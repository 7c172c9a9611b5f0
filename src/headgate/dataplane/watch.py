"""What an attempt teaches about its target's health."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from headgate.base.clock import Clock
from headgate.base.errors import RateLimited, TimedOut, UpstreamFailed
from headgate.dataplane.call import Call
from headgate.dataplane.failure import Failure
from headgate.dataplane.limits import Limits
from headgate.ledger.record import Outcome
from headgate.routing.configs import name_of
from headgate.routing.health import Health
from headgate.routing.plan import Target
from headgate.upstream.client import Deadlines

PATIENCE_S: Final = 5.0
"""A timeout tells of a provider's health only where it was given so long, or all the time that the gateway ever gives:
a client in a hurry says nothing of it."""
THROTTLED_S: Final = 1.0
"""How long a provider is left alone that says 429 and not until when."""


class Seen:
    """What is known of one attempt, filled in while it runs. Nanoseconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = clock.monotonic()
        self.failure: Failure | None = None
        self.head_after = 0

    def begins(self) -> None:
        """Only now, after its turn has come: a wait before it says nothing of the provider."""
        self._began = self._clock.monotonic()

    def answered(self) -> None:
        """The head of an answer is there."""
        self.head_after = self.took

    @property
    def took(self) -> int:
        """Up to now."""
        return self._clock.monotonic() - self._began


class Watch:
    """One per process."""

    def __init__(self, health: Health, clock: Clock, limits: Limits) -> None:
        self._health = health
        self._clock = clock
        self._patience_s = min(PATIENCE_S, limits.deadlines.first_byte_s)

    def admits(self, target: Target) -> bool:
        """Whether a call that may go elsewhere should go there."""
        return self._health.admits(name_of(target))

    @contextmanager
    def on(self, call: Call, within: Deadlines) -> Iterator[Seen]:
        """An attempt at the target that the call is at. One that is cancelled teaches nothing."""
        health, seen = self._health.of(name_of(call.target)), Seen(self._clock)
        health.begin(self._clock.monotonic())
        good: bool | None = None
        wait_s: float | None = None
        try:
            yield seen
            patient = min(within.first_byte_s, within.total_s) >= self._patience_s
            good, wait_s = _learned(call, seen.failure, patient)
        finally:
            health.end(self._clock.monotonic(), good, seen.head_after, wait_s)


def _learned(call: Call, failure: Failure | None, patient: bool) -> tuple[bool | None, float | None]:
    """Whether the provider did well (None: nobody knows), and how long it is to be left alone."""
    if failure is None:
        return call.outcome is not Outcome.UPSTREAM_FAILED, None
    if failure.heard is not None:
        if failure.status == 429:
            return None, THROTTLED_S if failure.wait_s is None else failure.wait_s
        return failure.status < 500 and failure.status != 401, failure.wait_s if failure.status >= 500 else None
    match failure.error:
        case TimedOut():
            return (False if patient else None), None
        case UpstreamFailed(code="upstream_busy") | RateLimited():
            return None, None  # it was not asked
        case UpstreamFailed():
            return False, None
        case _:
            return True, None
