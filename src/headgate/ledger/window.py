"""A counter for each kind of window.

- `SlidingSpan` (in `sliding`): one cell for each sixtieth of the window; those of the last window length count, and
  of older cells the tokens and the cost that are still held.
- `PeriodSpan`: one cell for each calendar period; the one that lies in the present counts.
- `InFlightSpan`: one cell; nothing in it is ever settled, ending a call gives it back.
"""

from collections.abc import Iterable
from typing import ClassVar

from headgate.ledger.allowance import Allowance, Resource, Window, WindowKind
from headgate.ledger.counter import Cell, Counter, Span
from headgate.ledger.period import NEVER, period_of
from headgate.ledger.sliding import SlidingSpan


def counter_for(allowance: Allowance, wall: int, steady: int) -> Counter:
    """A counter at zero. Raises ValueError, naming the field, for a window that cannot be."""
    return Counter(list(Resource).index(allowance.resource), _span_for(allowance), wall, steady)


def _span_for(allowance: Allowance) -> Span:
    if allowance.resource is Resource.IN_FLIGHT:
        return InFlightSpan()
    if allowance.window.kind is WindowKind.SLIDING:
        return SlidingSpan(allowance.resource, allowance.window.seconds)
    return PeriodSpan(allowance.window)


class PeriodSpan:
    """Calendar, every-N-days and lifetime windows.

    A call counts in the period it was held in, whenever it ends. A period that has begun is never left backwards:
    a wall clock that jumps ahead and back again opens no period twice.
    """

    __slots__ = ("_window", "start")
    is_rate: ClassVar[bool] = False

    def __init__(self, window: Window) -> None:
        self._window = window
        self.start = 0

    def begun(self) -> int:
        return self.start

    def advance(self, counter: Counter, wall: int, steady: int) -> None:
        counter.stale_steady = NEVER
        if wall >= counter.stale_wall:
            period = period_of(self._window, wall)
            self.start, counter.stale_wall = period.start, period.end
            _begin(counter)

    def settle(self, counter: Counter, cell: Cell, held: int, actual: int, steady: int) -> None:
        cell.settled += actual
        if not cell.gone:
            counter.total += actual - held

    def room_beside(self, counter: Counter, cell: Cell, share: int) -> int:
        return share - cell.settled - cell.held

    left_beside = room_beside

    def take_more(self, counter: Counter, cell: Cell, amount: int, steady: int) -> Cell:
        cell.held += amount
        if not cell.gone:
            counter.total += amount
        return cell

    def settled(self, counter: Counter) -> int:
        return counter.cell.settled

    def frees_at(self, counter: Counter, amount: int, limit: int, wall: int, steady: int) -> int | None:
        amount = max(amount, 1)
        if amount > limit:
            return NEVER
        return None if counter.cell.settled + amount <= limit else counter.stale_wall

    def resets_at(self, counter: Counter, wall: int, steady: int) -> int | None:
        return None if counter.stale_wall == NEVER else counter.stale_wall

    def correct(self, counter: Counter, at: int, more: int, wall: int, steady: int) -> None:
        if at >= self.start:
            counter.cell.settled += more
            counter.total += more

    def reset(self, counter: Counter, steady: int) -> None:
        _begin(counter)

    def restore(self, counter: Counter, past: Iterable[tuple[int, int]], wall: int, steady: int) -> None:
        counter.total_at(wall, steady)
        amount = sum(amount for at, amount in past if at >= self.start)
        counter.cell.settled += amount
        counter.total += amount


def _begin(counter: Counter) -> None:
    counter.cell.gone = True
    counter.cell = Cell()
    counter.total = 0


class InFlightSpan:
    """Calls under way. Ending a call gives its place back, whatever it used."""

    __slots__ = ()
    is_rate: ClassVar[bool] = True

    def begun(self) -> int:
        return -NEVER

    def advance(self, counter: Counter, wall: int, steady: int) -> None:
        counter.stale_wall = counter.stale_steady = NEVER

    def settle(self, counter: Counter, cell: Cell, held: int, actual: int, steady: int) -> None:
        counter.total -= held

    def room_beside(self, counter: Counter, cell: Cell, share: int) -> int:
        return share - counter.total

    left_beside = room_beside

    def take_more(self, counter: Counter, cell: Cell, amount: int, steady: int) -> Cell:
        return counter.take(amount, steady)

    def settled(self, counter: Counter) -> int:
        return 0

    def frees_at(self, counter: Counter, amount: int, limit: int, wall: int, steady: int) -> int | None:
        return NEVER if amount > limit else None

    def resets_at(self, counter: Counter, wall: int, steady: int) -> int | None:
        return None

    def correct(self, counter: Counter, at: int, more: int, wall: int, steady: int) -> None:
        """Nothing of it is used."""

    def reset(self, counter: Counter, steady: int) -> None:
        """Nothing to forget: calls under way stay under way."""

    def restore(self, counter: Counter, past: Iterable[tuple[int, int]], wall: int, steady: int) -> None:
        """Calls of an earlier process are over."""
