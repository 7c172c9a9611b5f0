"""The time by the authority's clock, so that all processes agree on when a period ends, however their own are set."""

from headgate.base.clock import Clock


class ServerClock:
    """A `Clock` whose wall clock is the authority's, as far as it was heard; until then this machine's."""

    def __init__(self, clock: Clock) -> None:
        self.monotonic = clock.monotonic
        self._offset = clock.now() - clock.monotonic()

    def now(self) -> int:
        return self.monotonic() + self._offset

    def heard(self, now: int) -> None:
        """It said so a moment ago."""
        self._offset = now - self.monotonic()
