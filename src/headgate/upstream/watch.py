"""The deadlines of a connection's exchanges, on a single timer."""

import asyncio
from collections.abc import Callable

from headgate.base.deadline import Deadline
from headgate.upstream.failed import Kind


class Watch:
    """Calls `expired` once when what is awaited does not come in time, or when the attempt as a whole takes too long.

    It serves one attempt after the other: `begin`, `expect` and `progress`, `rest`.
    """

    __slots__ = ("_allowed", "_deadline", "_expired", "_kind", "_loop", "_since", "_total_at", "suspended")

    def __init__(self, loop: asyncio.AbstractEventLoop, expired: Callable[[Kind], None]) -> None:
        self._loop = loop
        self._expired = expired
        self._deadline = Deadline(loop, self._passed)
        self._kind: Kind = "timeout_total"
        self._allowed = 0.0
        self._since = 0.0
        self._total_at = 0.0
        self.suspended = False
        """While the reader of the answer lags, the provider's silence is not counted: nobody is listening."""

    def begin(self, total_at: float) -> None:
        """An attempt that must be over at this moment of the loop's clock."""
        self._total_at = total_at
        self.suspended = False

    def expect(self, kind: Kind, within_s: float) -> None:
        """From now on progress is due every `within_s` seconds; its absence is a failure of this kind."""
        self._kind = kind
        self._allowed = within_s
        self._since = self._loop.time()
        self._deadline.set(self._due())

    def progress(self) -> None:
        self._since = self._loop.time()

    def rest(self) -> None:
        """The attempt is over: nothing is expected."""
        self._deadline.clear()

    def close(self) -> None:
        self._deadline.close()

    def _due(self) -> float:
        return min(self._since + self._allowed, self._total_at)

    def _passed(self) -> None:
        now = self._loop.time()
        if now >= self._total_at:
            self._expired("timeout_total")
            return
        if self.suspended:
            self._since = now
        if now >= self._due():
            self._expired(self._kind)
        else:
            self._deadline.set(self._due())
