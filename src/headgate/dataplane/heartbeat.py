"""A sign of life in a stream that is silent, so that no proxy on the way takes the connection for dead.

A client whose stream was cut by a proxy sends its call again, and pays twice.
"""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

COMMENT: Final = b": still working\n\n"
"""Server-sent events may hold comments anywhere between events; every client skips them."""


class Heartbeat:
    """While it is entered, `beat` is called twice in every `every_s`; never, where that is 0."""

    def __init__(self, every_s: float, beat: Callable[[], None]) -> None:
        self._pause_s = every_s / 2
        self._beat = beat
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        if self._pause_s:
            self._arm()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._pause_s, self._ring)

    def _ring(self) -> None:
        self._arm()
        self._beat()
