"""The deadlines of one attempt on a single timer."""

import asyncio
from collections.abc import Callable

from headgate.upstream.failed import Kind


class Watch:
    """Calls `expired` once when what is awaited does not come in time, or when the attempt as a whole takes too long.

    Progress only notes the time: the timer looks at it when it goes off, and is set again for what is left. So a
    stream of a thousand chunks costs a thousand reads of the clock, not a thousand timers.
    """

    __slots__ = ("_allowed", "_due", "_expired", "_kind", "_loop", "_since", "_timer", "_total_at", "suspended")

    def __init__(self, loop: asyncio.AbstractEventLoop, total_at: float, expired: Callable[[Kind], None]) -> None:
        self._loop = loop
        self._total_at = total_at
        self._expired = expired
        self._kind: Kind = "timeout_total"
        self._allowed = 0.0
        self._since = 0.0
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.suspended = False
        """While the reader of the answer lags, the provider's silence is not counted: nobody is listening."""

    def expect(self, kind: Kind, within_s: float) -> None:
        """From now on progress is due every `within_s` seconds; its absence is a failure of this kind."""
        self._kind = kind
        self._allowed = within_s
        self._since = self._loop.time()
        due = self._next()
        if self._timer is None or due < self._due:
            self._arm(due)

    def progress(self) -> None:
        self._since = self._loop.time()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _next(self) -> float:
        return min(self._since + self._allowed, self._total_at)

    def _arm(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        self._timer = self._loop.call_at(due, self._ring)

    def _ring(self) -> None:
        self._timer = None
        now = self._loop.time()
        if now >= self._total_at:
            self._expired("timeout_total")
            return
        if self.suspended:
            self._since = now
        due = self._next()
        if now >= due:
            self._expired(self._kind)
        else:
            self._arm(due)
