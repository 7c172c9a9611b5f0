"""What is settled and what is held of one allowance, in the stretch of time that counts now.

What is taken goes into a *cell*, which stays with the call: it is settled in the cell, and so in the window, it was
taken in. Integers only; time is handed in, twice, in nanoseconds: `wall` rules calendars, `steady` (monotonic) rules
sliding windows, which a jump of the wall clock must not stretch or cut.

There is one class of counter, with a `Span` for each kind of window, so that what happens to every allowance of
every call stays one short stretch of code; a span is asked only when time moves on or something is unusual.
"""

from collections.abc import Iterable
from typing import Protocol


class Cell:
    """What was taken from `first` to `last` (steady). `gone`: it no longer lies in the stretch that counts."""

    __slots__ = ("first", "gone", "held", "last", "settled")

    def __init__(self, first: int = 0) -> None:
        self.first = first
        self.last = first
        self.settled = 0
        self.held = 0
        self.gone = False


class Counter:
    """The counter of one allowance.

    `total` is what is settled and held; `cell` is where the next call goes. Both hold until `wall` reaches
    `stale_wall` or `steady` reaches `stale_steady`.
    """

    __slots__ = ("cell", "elsewhere", "resource", "span", "stale_steady", "stale_wall", "total", "used_at")

    def __init__(self, resource: int, span: "Span", wall: int, steady: int) -> None:
        self.resource = resource  # the place of what it counts in `Amounts.figures`
        self.span = span
        self.total = 0
        self.elsewhere = 0  # what counts besides: settled and held by other processes
        self.cell = Cell(steady)
        self.used_at = wall
        self.stale_wall = wall
        self.stale_steady = steady
        span.advance(self, wall, steady)

    def total_at(self, wall: int, steady: int) -> int:
        """Settled and held at this moment. All that follows is meant at the moment this was last asked for."""
        if wall >= self.stale_wall or steady >= self.stale_steady:
            self.span.advance(self, wall, steady)
        return self.total

    def take(self, amount: int, steady: int) -> Cell:
        """Hold it."""
        cell = self.cell
        cell.held += amount
        cell.last = steady
        self.total += amount
        return cell

    def settle(self, cell: Cell, held: int, actual: int, steady: int) -> None:
        """Of what is held in `cell`, `held` is over; `actual` is what it came to, and may be more."""
        cell.held -= held
        if actual > held or cell.gone:
            self.span.settle(self, cell, held, actual, steady)
        else:
            cell.settled += actual
            self.total += actual - held


class Span(Protocol):
    """The stretch of time that counts, for one counter; how the count goes back to zero."""

    @property
    def is_rate(self) -> bool:
        """True if room comes back as time or calls go by; False for a budget, which is spent until it resets."""
        ...

    def begun(self) -> int:
        """When the period that counts began (wall); long ago where there are none."""
        ...

    def advance(self, counter: Counter, wall: int, steady: int) -> None:
        """Bring the counter up to this moment, and say until when that holds."""
        ...

    def settle(self, counter: Counter, cell: Cell, held: int, actual: int, steady: int) -> None:
        """The rest of `Counter.settle` where the cell is gone or `actual` is more than `held`."""
        ...

    def room_beside(self, counter: Counter, cell: Cell, share: int) -> int:
        """How much more a call which holds in `cell` may take of this share."""
        ...

    def left_beside(self, counter: Counter, cell: Cell, cap: int) -> int:
        """What is left of the cap for such a call."""
        ...

    def take_more(self, counter: Counter, cell: Cell, amount: int, steady: int) -> Cell:
        """Hold more for a call that holds in `cell`."""
        ...

    def settled(self, counter: Counter) -> int:
        """What counts now and is not held."""
        ...

    def frees_at(self, counter: Counter, amount: int, limit: int, wall: int, steady: int) -> int | None:
        """The earliest moment (wall) at which `amount`, which does not fit within `limit` now, may do so.

        None if that depends on calls under way; `NEVER` if it never will.
        """
        ...

    def resets_at(self, counter: Counter, wall: int, steady: int) -> int | None:
        """When what counts now no longer does (wall). None: it stays, or goes as calls end."""
        ...

    def correct(self, counter: Counter, at: int, more: int, wall: int, steady: int) -> None:
        """Of what was held at that moment (wall clock) and settled, so much more, or less, was used."""
        ...

    def reset(self, counter: Counter, steady: int) -> None:
        """Begin anew. Calls from before count no longer, but for what they still hold in a sliding window."""
        ...

    def restore(self, counter: Counter, past: Iterable[tuple[int, int]], wall: int, steady: int) -> None:
        """Count amounts that were settled earlier: (moment on the wall clock, amount), oldest first."""
        ...
