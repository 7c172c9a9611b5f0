"""An event loop on virtual time: nothing waits, and the same choices give the same history."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from headgate.base.clock import NANOS_PER_SECOND
from tests.support.ledger import ManualClock

T = TypeVar("T")


class Stuck(RuntimeError):
    """Everybody waits, and nothing will ever happen."""


class _Time:
    """Stands where a loop asks its sockets for news: there are none, so time moves on to the next timer."""

    def __init__(self, clock: ManualClock, between: Callable[[], None]) -> None:
        self._clock = clock
        self._between = between

    def select(self, timeout: float | None) -> list[Any]:
        self._between()
        if timeout is None:
            raise Stuck("every task waits for another")
        if timeout > 0:
            self._clock.pass_ns(max(1, round(timeout * NANOS_PER_SECOND)))
        return []

    def close(self) -> None:
        """Nothing is open."""


class OrderedSet(dict[T, None]):
    """A set whose order does not depend on where its elements lie in memory."""

    def add(self, element: T) -> None:
        self[element] = None

    def discard(self, element: T) -> None:
        self.pop(element, None)


class VirtualLoop(asyncio.BaseEventLoop):
    """`between` is called between any two turns of the loop. Tasks run in the order in which they became ready."""

    def __init__(self, clock: ManualClock, between: Callable[[], None]) -> None:
        super().__init__()
        self._clock = clock
        self._selector = _Time(clock, between)

    def time(self) -> float:
        return self._clock.monotonic() / NANOS_PER_SECOND

    def _process_events(self, events: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody calls from another thread."""
