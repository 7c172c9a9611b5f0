"""Sliding windows: never more than the cap in any interval of their length, in constant memory."""

from collections import deque
from collections.abc import Iterable
from typing import ClassVar, Final

from headgate.base.clock import NANOS_PER_SECOND
from headgate.ledger.allowance import Resource
from headgate.ledger.counter import Cell
from headgate.ledger.period import NEVER

GRAINS: Final = 60
"""A window may keep an amount for up to one part in so many of its length too long, and never too short."""
REQUESTS: Final = list(Resource).index(Resource.REQUESTS)


class SlidingCounter:
    """Never more than the cap is taken in any interval [t, t + length), wherever it starts, in at most 62 cells.

    What is taken within a sixtieth of the length goes into one cell, and leaves the window with the last of it. What
    is held counts while it is held, however long, and from then on as long as the window is from when it was taken.
    """

    __slots__ = ("_cells", "_grain", "_length", "_total", "check", "resource", "used_at")
    is_rate: ClassVar[bool] = True

    def __init__(self, resource: int, seconds: int) -> None:
        if seconds < 1:
            raise ValueError(f"window.seconds must be 1 or more, not {seconds}")
        self.resource = resource
        self.check = 0
        self.used_at = 0
        self._length = seconds * NANOS_PER_SECOND
        self._grain = self._length // GRAINS
        self._cells: deque[Cell] = deque()
        self._total = 0  # settled in the cells that count, and held in all

    def total(self, wall: int, steady: int) -> int:
        cells = self._cells
        horizon = steady - self._length
        while cells and cells[0].last <= horizon:
            self._leave(cells.popleft())
        return self._total

    def _leave(self, cell: Cell) -> None:
        cell.gone = True
        self._total -= cell.settled

    def _cell_at(self, steady: int) -> Cell:
        cells = self._cells
        if cells and steady - cells[-1].first < self._grain:
            cell = cells[-1]
            cell.last = steady
            return cell
        cell = Cell(steady)
        cells.append(cell)
        return cell

    def take(self, amount: int, steady: int) -> Cell:
        cell = self._cell_at(steady)
        cell.held += amount
        self._total += amount
        return cell

    def total_beside(self, cell: Cell, wall: int, steady: int) -> int:
        return self.total(wall, steady)

    def take_more(self, cell: Cell, amount: int, steady: int) -> Cell:
        return self.take(amount, steady)

    def settle(self, cell: Cell, held: int, actual: int, steady: int) -> None:
        within = min(held, actual)
        cell.held -= held
        if cell.gone:
            self._total -= held
        else:
            cell.settled += within
            self._total -= held - within
        if actual > within:  # nobody could know before now, so it counts from now
            self._cell_at(steady).settled += actual - within
            self._total += actual - within

    def settled(self) -> int:
        return sum(cell.settled for cell in self._cells)

    def frees_at(self, amount: int, limit: int, wall: int, steady: int) -> int | None:
        amount = max(amount, 1)
        if amount > limit:
            return NEVER
        if self.resource != REQUESTS and self.settled() + amount <= limit:
            return None  # tokens and cost are held at their bound, and most of it comes back; a request does not
        excess = self._total + amount - limit
        for cell in self._cells:
            excess -= cell.settled + cell.held
            if excess <= 0:
                return wall + cell.last + self._length - steady
        return None

    def resets_at(self, wall: int, steady: int) -> int | None:
        return wall + self._cells[-1].last + self._length - steady if self._cells else None

    def reset(self, wall: int) -> None:
        while self._cells:
            self._leave(self._cells.popleft())

    def restore(self, past: Iterable[tuple[int, int]], wall: int, steady: int) -> None:
        for at, amount in past:
            moment = steady - max(wall - at, 0)
            latest = self._cells[-1].last if self._cells else moment
            self._cell_at(max(moment, latest)).settled += amount
            self._total += amount
