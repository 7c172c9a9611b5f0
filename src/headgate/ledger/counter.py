"""What every counter does: say what is settled and what is held of one allowance, in its current window.

What is taken goes into a *cell*, which stays with the call: it is settled in the cell, and so in the window, it was
taken in. A counter sums the cells that count now. Integers only; time is handed in, twice, in nanoseconds: `wall`
rules calendars, `steady` (monotonic) rules sliding windows, which a jump of the wall clock must not stretch or cut.
"""

from collections.abc import Iterable
from typing import ClassVar, Protocol


class Cell:
    """What was taken in one stretch of time. `first` and `last` (steady) are when; `gone`: it has left its window."""

    __slots__ = ("first", "gone", "held", "last", "settled")

    def __init__(self, first: int = 0) -> None:
        self.first = first
        self.last = first
        self.settled = 0
        self.held = 0
        self.gone = False


class Counter(Protocol):
    """The counter of one allowance."""

    is_rate: ClassVar[bool]
    """True if it makes room as time or calls go by; False if it is a budget that is spent until it resets."""
    resource: int
    """The place of what it counts in `Amounts.figures`."""
    check: int
    """The ledger's note: which of its checks was the last to come by here."""
    used_at: int
    """The ledger's note: when it was last checked (wall)."""

    def total(self, wall: int, steady: int) -> int:
        """Settled and held, in the window that ends or lies at this moment. Brings the counter up to it."""
        ...

    def take(self, amount: int, steady: int) -> Cell:
        """Hold it, at the moment `total` was last asked for."""
        ...

    def total_beside(self, cell: Cell, wall: int, steady: int) -> int:
        """The total that more for a call which holds in `cell` is added to."""
        ...

    def take_more(self, cell: Cell, amount: int, steady: int) -> Cell:
        """Hold more for a call that already holds in `cell`."""
        ...

    def settle(self, cell: Cell, held: int, actual: int, steady: int) -> None:
        """Of what is held in `cell`, `held` is over; `actual` is what it came to, and may be more."""
        ...

    def settled(self) -> int:
        """What counts now and is not held, as of the last `total`."""
        ...

    def frees_at(self, amount: int, limit: int, wall: int, steady: int) -> int | None:
        """The earliest moment (wall) at which `amount` may fit within `limit` though no call ends before it.

        None if only the end of calls under way can make room, `NEVER` if nothing can.
        """
        ...

    def resets_at(self, wall: int, steady: int) -> int | None:
        """When all that counts now no longer does (wall). None: it stays, or goes as calls end."""
        ...

    def reset(self, wall: int) -> None:
        """Begin anew: calls from before count no longer, but for what they still hold in a sliding window."""
        ...

    def restore(self, past: Iterable[tuple[int, int]], wall: int, steady: int) -> None:
        """Count amounts that were settled earlier: (moment on the wall clock, amount), oldest first."""
        ...
