"""A moment that moves, on a timer that seldom does."""

import asyncio
import math
from collections.abc import Callable
from typing import Final

NEVER: Final = math.inf


class Deadline:
    """Calls `passed` once the moment it was last set to has come; moments are those of `loop.time()`.

    Setting and clearing only note the moment: the timer looks at it when it goes off, and is set again for what is
    left. So a connection of a thousand requests costs a thousand comparisons, not a thousand timers.
    """

    __slots__ = ("_at", "_loop", "_passed", "_rings_at", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, passed: Callable[[], None]) -> None:
        self._loop = loop
        self._passed = passed
        self._at = NEVER
        self._rings_at = NEVER
        self._timer: asyncio.TimerHandle | None = None

    def set(self, at: float) -> None:
        self._at = at
        if at < self._rings_at:
            self._arm()

    def clear(self) -> None:
        self._at = NEVER

    def close(self) -> None:
        """For good: whatever it is set to from now on never comes."""
        self._at, self._rings_at = NEVER, -NEVER
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings_at = self._at
        self._timer = self._loop.call_at(self._at, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._rings_at = NEVER
        if self._loop.time() >= self._at:
            self._at = NEVER
            self._passed()
        elif self._at < NEVER:
            self._arm()
