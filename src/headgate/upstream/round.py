"""What comes for many answers in one tick of the event loop: read for all of them, then handed on for all of them.

Like calls that go `abreast`: the code of each half is fetched into the processor's caches once for all of them. See
docs/decisions/0007.
"""

import asyncio
from collections.abc import Callable

Hand = Callable[[], None]
"""Hands on what has come for one answer; nothing, if nothing has. It raises nothing."""


class Round:
    """Of one event loop."""

    __slots__ = ("_due",)

    def __init__(self) -> None:
        self._due: list[Hand] = []

    def add(self, hand: Hand) -> None:
        """Before the tick ends, and after whatever else is there to be read."""
        if not self._due:
            asyncio.get_running_loop().call_soon(self._run)
        self._due.append(hand)

    def _run(self) -> None:
        due, self._due = self._due, []
        for hand in due:
            hand()
