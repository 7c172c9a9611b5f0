"""Which calls are over: bounded, so that a repeated settlement is recognized and memory does not grow."""

from typing import Final

REMEMBERED: Final = 65_536
"""Request ids in a generation; the last one to two generations are known."""


class Resolved:
    """Remembers at least the last `REMEMBERED` request ids, at most twice as many."""

    __slots__ = ("_new", "_old")

    def __init__(self) -> None:
        self._new: set[str] = set()
        self._old: set[str] = set()

    def __contains__(self, request_id: str) -> bool:
        return request_id in self._new or request_id in self._old

    def add(self, request_id: str) -> None:
        self._new.add(request_id)
        if len(self._new) >= REMEMBERED:
            self._old, self._new = self._new, set()
