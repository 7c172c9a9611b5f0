"""One counter for each kind of window.

- `SlidingCounter` (in `sliding`): one cell for each sixtieth of the window; those of the last window length count,
  and of older cells what is still held.
- `PeriodCounter`: one cell for each calendar period; the one that lies in the present counts.
- `InFlightCounter`: one cell; nothing in it is ever settled, ending a call gives it back.
"""

from collections.abc import Iterable
from typing import ClassVar

from headgate.ledger.allowance import Allowance, Resource, Window, WindowKind
from headgate.ledger.counter import Cell, Counter
from headgate.ledger.period import NEVER, period_of
from headgate.ledger.sliding import SlidingCounter


def counter_for(allowance: Allowance, wall: int) -> Counter:
    """A counter at zero. Raises ValueError, naming the field, for a window that cannot be."""
    resource = list(Resource).index(allowance.resource)
    if allowance.resource is Resource.IN_FLIGHT:
        return InFlightCounter(resource)
    if allowance.window.kind is WindowKind.SLIDING:
        return SlidingCounter(resource, allowance.window.seconds)
    return PeriodCounter(resource, allowance.window, wall)


class PeriodCounter:
    """Calendar, every-N-days and lifetime windows.

    A call counts in the period it was held in, whenever it ends. A period that has begun is never left backwards:
    a wall clock that jumps ahead and back again opens no period twice.
    """

    __slots__ = ("cell", "check", "end", "resource", "start", "used_at", "window")
    is_rate: ClassVar[bool] = False

    def __init__(self, resource: int, window: Window, wall: int) -> None:
        self.resource = resource
        self.check = 0
        self.used_at = wall
        self.window = window
        self._begin(wall)

    def _begin(self, wall: int) -> None:
        period = period_of(self.window, wall)
        self.start, self.end = period.start, period.end
        self.cell = Cell()

    def total(self, wall: int, steady: int) -> int:
        if wall >= self.end:
            self._begin(wall)
        cell = self.cell
        return cell.settled + cell.held

    def take(self, amount: int, steady: int) -> Cell:
        self.cell.held += amount
        return self.cell

    def total_beside(self, cell: Cell, wall: int, steady: int) -> int:
        return cell.settled + cell.held

    def take_more(self, cell: Cell, amount: int, steady: int) -> Cell:
        cell.held += amount
        return cell

    def settle(self, cell: Cell, held: int, actual: int, steady: int) -> None:
        cell.held -= held
        cell.settled += actual

    def settled(self) -> int:
        return self.cell.settled

    def frees_at(self, amount: int, limit: int, wall: int, steady: int) -> int | None:
        amount = max(amount, 1)
        if amount > limit:
            return NEVER
        return None if self.cell.settled + amount <= limit else self.end

    def resets_at(self, wall: int, steady: int) -> int | None:
        return None if self.end == NEVER else self.end

    def reset(self, wall: int) -> None:
        self.cell = Cell()

    def restore(self, past: Iterable[tuple[int, int]], wall: int, steady: int) -> None:
        self.total(wall, steady)
        self.cell.settled += sum(amount for at, amount in past if at >= self.start)


class InFlightCounter:
    """Calls under way. Ending a call gives its place back, whatever it used."""

    __slots__ = ("_cell", "check", "resource", "used_at")
    is_rate: ClassVar[bool] = True

    def __init__(self, resource: int) -> None:
        self.resource = resource
        self.check = 0
        self.used_at = 0
        self._cell = Cell()

    def total(self, wall: int, steady: int) -> int:
        return self._cell.held

    def take(self, amount: int, steady: int) -> Cell:
        self._cell.held += amount
        return self._cell

    def total_beside(self, cell: Cell, wall: int, steady: int) -> int:
        return self.total(wall, steady)

    def take_more(self, cell: Cell, amount: int, steady: int) -> Cell:
        return self.take(amount, steady)

    def settle(self, cell: Cell, held: int, actual: int, steady: int) -> None:
        cell.held -= held

    def settled(self) -> int:
        return 0

    def frees_at(self, amount: int, limit: int, wall: int, steady: int) -> int | None:
        return NEVER if amount > limit else None

    def resets_at(self, wall: int, steady: int) -> int | None:
        return None

    def reset(self, wall: int) -> None:
        """Nothing to forget: calls under way stay under way."""

    def restore(self, past: Iterable[tuple[int, int]], wall: int, steady: int) -> None:
        """Calls of an earlier process are over."""
