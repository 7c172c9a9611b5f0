"""Sliding windows: never more than the cap in any interval of their length, in constant memory."""

from collections import deque
from collections.abc import Iterable
from typing import ClassVar, Final

from headgate.base.clock import NANOS_PER_SECOND
from headgate.ledger.allowance import Resource
from headgate.ledger.counter import Cell, Counter
from headgate.ledger.period import NEVER

GRAINS: Final = 60
"""A window may keep an amount for up to one part in so many of its length too long, and never too short."""


class SlidingSpan:
    """Never more than the cap is taken in any interval [t, t + length), wherever it starts, in at most 62 cells.

    What is taken within a sixtieth of the length goes into one cell, and leaves with the last of it. A request is
    made when its call begins, so it leaves then, though the call goes on. When tokens flow and cost arises nobody
    knows before the end, so they count while they are held, however long, and in any case as long as the window is.
    """

    __slots__ = ("_cells", "_grain", "_length", "_requests")
    is_rate: ClassVar[bool] = True

    def __init__(self, resource: Resource, seconds: int) -> None:
        if seconds < 1:
            raise ValueError(f"window.seconds must be 1 or more, not {seconds}")
        self._requests = resource is Resource.REQUESTS
        self._length = seconds * NANOS_PER_SECOND
        self._grain = self._length // GRAINS
        self._cells: deque[Cell] = deque()

    def begun(self) -> int:
        return -NEVER

    def advance(self, counter: Counter, wall: int, steady: int) -> None:
        cells, length = self._cells, self._length
        while cells and cells[0].last <= steady - length:
            self._leave(counter, cells.popleft())
        if not cells or steady - cells[-1].first >= self._grain:
            self._begin_cell(counter, steady)
        counter.stale_wall = NEVER
        counter.stale_steady = min(cells[0].last + length, cells[-1].first + self._grain)

    def _leave(self, counter: Counter, cell: Cell) -> None:
        cell.gone = True
        counter.total -= cell.settled + (cell.held if self._requests else 0)

    def _begin_cell(self, counter: Counter, steady: int) -> None:
        newest = self._cells[-1] if self._cells else None
        if newest is not None and not newest.settled and not newest.held:
            newest.first = newest.last = steady  # nothing was taken since it began: calls were refused
            return
        counter.cell = Cell(steady)
        self._cells.append(counter.cell)

    def settle(self, counter: Counter, cell: Cell, held: int, actual: int, steady: int) -> None:
        within = min(held, actual)
        if not cell.gone:
            cell.settled += within
            counter.total -= held - within
        elif not self._requests:
            counter.total -= held
        if actual > within:  # nobody could know before now, so it counts from now
            counter.total_at(counter.used_at, steady)
            counter.take(0, steady).settled += actual - within
            counter.total += actual - within

    def room_beside(self, counter: Counter, cell: Cell, share: int) -> int:
        return share - counter.total

    left_beside = room_beside

    def take_more(self, counter: Counter, cell: Cell, amount: int, steady: int) -> Cell:
        return counter.take(amount, steady)

    def settled(self, counter: Counter) -> int:
        return sum(cell.settled for cell in self._cells)

    def frees_at(self, counter: Counter, amount: int, limit: int, wall: int, steady: int) -> int | None:
        amount = max(amount, 1)
        if amount > limit:
            return NEVER
        if not self._requests and self.settled(counter) + amount <= limit:
            return None  # tokens and cost are held at their bound, and much of it comes back; a request does not
        excess = counter.total + amount - limit
        for cell in self._cells:
            excess -= cell.settled + cell.held
            if excess <= 0:
                return wall + cell.last + self._length - steady
        return None

    def resets_at(self, counter: Counter, wall: int, steady: int) -> int | None:
        for cell in reversed(self._cells):
            if cell.settled or cell.held:
                return wall + cell.last + self._length - steady
        return None

    def correct(self, counter: Counter, at: int, more: int, wall: int, steady: int) -> None:
        """What is less is taken from the cell of then, or an earlier one, which leaves the window no later; where that
        has not so much, it stays until it leaves by itself. What is more counts from now."""
        if more > 0:
            counter.take(0, steady).settled += more
            counter.total += more
            return
        moment = steady - (wall - at)
        cell = next((each for each in reversed(self._cells) if each.first <= moment), None)
        if cell is not None and cell.settled >= -more:
            cell.settled += more
            counter.total += more

    def reset(self, counter: Counter, steady: int) -> None:
        while self._cells:
            self._leave(counter, self._cells.popleft())
        self.advance(counter, counter.used_at, steady)

    def restore(self, counter: Counter, past: Iterable[tuple[int, int]], wall: int, steady: int) -> None:
        for at, amount in past:
            moment = steady - max(wall - at, 0)
            if counter.total:
                moment = max(moment, self._cells[-1].last)
            if not counter.total or moment - self._cells[-1].first >= self._grain:
                self._begin_cell(counter, moment)
            counter.take(0, moment).settled += amount
            counter.total += amount
        self.advance(counter, wall, steady)
