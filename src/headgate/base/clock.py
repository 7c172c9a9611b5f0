"""Time is handed in, so that tests own it."""

import time
from typing import Protocol


class Clock(Protocol):
    """Two clocks: `now` for what is written down and for calendars, `monotonic` for durations and deadlines."""

    def now(self) -> int:
        """Wall clock, nanoseconds since 1970-01-01 UTC. May jump."""
        ...

    def monotonic(self) -> int:
        """Nanoseconds since some fixed moment. Never goes back."""
        ...


class SystemClock:
    """The machine's clocks."""

    now = staticmethod(time.time_ns)
    monotonic = staticmethod(time.monotonic_ns)


NANOS_PER_SECOND = 1_000_000_000
NANOS_PER_MS = 1_000_000
