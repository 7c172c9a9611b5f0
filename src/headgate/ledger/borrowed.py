"""Shares that are borrowed from an authority: what this process may decide on, and the counters it decides with.

A counter counts what is used and held here, from the start of this process or of its period; what others use and hold,
as last heard, is `elsewhere`.
"""

from collections.abc import Iterable, Iterator

from headgate.base.clock import NANOS_PER_SECOND
from headgate.ledger.allowance import Allowance, Resource, WindowKind
from headgate.ledger.counter import Cell, Counter
from headgate.ledger.period import NEVER, period_of
from headgate.ledger.share import BorrowedCell, Share

GRAINS = 60


class BorrowedShares:
    """Implements `Shares`. Nothing is borrowed by itself: whoever lacks something asks the authority."""

    def __init__(self) -> None:
        self._spans: dict[str, BorrowedSpan] = {}
        self._counters: dict[str, Counter] = {}
        self._forgotten = 0

    def counter(self, allowance: Allowance, wall: int, steady: int) -> Counter:
        """The same as before if the ledger has forgotten it: what it counts cannot be found elsewhere."""
        known = self._counters.get(allowance.id)
        if known is not None:
            return known
        kind = BorrowedSpan
        if allowance.resource is not Resource.IN_FLIGHT:
            kind = BorrowedWindow if allowance.window.kind is WindowKind.SLIDING else BorrowedPeriod
        span = kind(allowance, self._forgotten)
        self._counters[allowance.id] = counter = Counter(list(Resource).index(allowance.resource), span, wall, steady)
        self._spans[allowance.id] = span
        return counter

    def of(self, allowance: Allowance) -> int:
        share = self._spans[allowance.id].share
        if allowance.cap >= share.cap:
            return share.entitled - share.beyond
        return share.entitled - share.beyond - (share.cap - allowance.cap)  # a lowered cap holds at once

    def share(self, allowance: Allowance) -> Share:
        """Of the period that the counter is in."""
        return self._spans[allowance.id].share

    def __iter__(self) -> Iterator[Share]:
        """All there are, of periods that are over as long as calls hold in them."""
        for span in self._spans.values():
            yield span.share
            yield from span.over

    def held_in(self, cell: Cell, allowance: Allowance) -> Share:
        """Of the period that this cell is in."""
        return cell.share if isinstance(cell, BorrowedCell) else self.share(allowance)

    def idle_since(self, unused_since: int) -> list[str]:
        """The ids of those that nobody asked for since (wall clock), and of which there is nothing to tell."""
        found = []
        for name, counter in self._counters.items():
            span = self._spans[name]
            span.over = [share for share in span.over if not share.idle]
            if counter.used_at < unused_since and span.share.idle and not span.over:
                found.append(name)
        return found

    def forget(self, allowance_id: str) -> None:
        """Whoever asks for it again counts from the beginning, and the authority with it: under another name."""
        del self._counters[allowance_id], self._spans[allowance_id]
        self._forgotten += 1


class BorrowedSpan:
    """Places for calls under way; and what the other kinds have in common."""

    is_rate = True

    def __init__(self, allowance: Allowance, life: int) -> None:
        self._allowance = allowance
        self._life = life
        self.share: Share
        self.over: list[Share] = []

    def _begin(self, counter: Counter, start: int, end: int, steady: int, *, counts_held: bool = False) -> None:
        allowance = self._allowance
        length = 0
        if allowance.window.kind is WindowKind.SLIDING and allowance.resource is not Resource.IN_FLIGHT:
            length = allowance.window.seconds * NANOS_PER_SECOND
        self.share = Share(counter, allowance.id, allowance.cap, start, end, length, counts_held, self._life)
        self._begin_cell(counter, steady)

    def _begin_cell(self, counter: Counter, steady: int) -> None:
        counter.cell = cell = BorrowedCell(self.share, steady)
        self.share.cells.append(cell)

    def begun(self) -> int:
        return self.share.start

    def advance(self, counter: Counter, wall: int, steady: int) -> None:
        if not isinstance(counter.cell, BorrowedCell):
            self._begin(counter, 0, NEVER, steady)
        counter.stale_wall = NEVER
        counter.stale_steady = self.share.expire(steady)

    def settle(self, counter: Counter, cell: Cell, held: int, actual: int, steady: int) -> None:
        counter.total -= held

    def take_more(self, counter: Counter, cell: Cell, amount: int, steady: int) -> Cell:
        return counter.take(amount, steady)

    def room_beside(self, counter: Counter, cell: Cell, share: int) -> int:
        return share - counter.total

    def left_beside(self, counter: Counter, cell: Cell, cap: int) -> int:
        return cap - counter.total - counter.elsewhere

    def settled(self, counter: Counter) -> int:
        return counter.total + self.share.settled_elsewhere - self.share.held

    def frees_at(self, counter: Counter, amount: int, limit: int, wall: int, steady: int) -> int | None:
        return NEVER if amount > limit else None

    def resets_at(self, counter: Counter, wall: int, steady: int) -> int | None:
        return None

    def correct(self, counter: Counter, at: int, more: int, wall: int, steady: int) -> None:
        """The authority has the past, and is told."""

    def reset(self, counter: Counter, steady: int) -> None:
        """A reset names another allowance, which is borrowed from anew."""

    def restore(self, counter: Counter, past: Iterable[tuple[int, int]], wall: int, steady: int) -> None:
        """The authority has the past."""


class BorrowedPeriod(BorrowedSpan):
    """Calendar, every-N-days and lifetime windows: a share of its own for each period."""

    is_rate = False

    def advance(self, counter: Counter, wall: int, steady: int) -> None:
        if wall >= counter.stale_wall:
            if isinstance(counter.cell, BorrowedCell):
                counter.cell.gone = True
                self.share.current = False
                self.over.append(self.share)
                counter.total = counter.elsewhere = 0
            period = period_of(self._allowance.window, wall)
            counter.stale_wall = period.end
            self._begin(counter, max(period.start, 0), period.end, steady)
        counter.stale_steady = min(share.expire(steady) for share in (self.share, *self.over))

    def settle(self, counter: Counter, cell: Cell, held: int, actual: int, steady: int) -> None:
        cell.settled += actual
        if not cell.gone:
            counter.total += actual - held

    def take_more(self, counter: Counter, cell: Cell, amount: int, steady: int) -> Cell:
        cell.held += amount
        if not cell.gone:
            counter.total += amount
        return cell

    def room_beside(self, counter: Counter, cell: Cell, share: int) -> int:
        assert isinstance(cell, BorrowedCell)
        return cell.share.room if cell.gone else share - counter.total

    def left_beside(self, counter: Counter, cell: Cell, cap: int) -> int:
        assert isinstance(cell, BorrowedCell)
        share = cell.share
        return cap - share.total - share.settled_elsewhere - share.held_elsewhere

    def frees_at(self, counter: Counter, amount: int, limit: int, wall: int, steady: int) -> int | None:
        amount = max(amount, 1)
        if amount > limit:
            return NEVER
        return None if self.settled(counter) + amount <= limit else counter.stale_wall

    def resets_at(self, counter: Counter, wall: int, steady: int) -> int | None:
        return None if counter.stale_wall == NEVER else counter.stale_wall


class BorrowedWindow(BorrowedSpan):
    """Sliding windows. The authority has the window; here it is only known when something was taken."""

    def __init__(self, allowance: Allowance, life: int) -> None:
        super().__init__(allowance, life)
        if allowance.window.seconds < 1:
            raise ValueError(f"window.seconds must be 1 or more, not {allowance.window.seconds}")
        self._requests = allowance.resource is Resource.REQUESTS

    def advance(self, counter: Counter, wall: int, steady: int) -> None:
        if not isinstance(counter.cell, BorrowedCell):
            self._begin(counter, 0, NEVER, steady, counts_held=self._requests)
        elif counter.cell.held or counter.cell.settled or counter.cell.told:
            self._begin_cell(counter, steady)
        else:
            counter.cell.first = counter.cell.last = steady
        counter.cell.gone = self._requests  # a request that is given back comes by `settle`
        counter.stale_wall = NEVER
        counter.stale_steady = min(steady + self.share.length // GRAINS, self.share.expire(steady))

    def settle(self, counter: Counter, cell: Cell, held: int, actual: int, steady: int) -> None:
        within = min(held, actual)
        cell.settled += within
        counter.total -= held - within
        if self._requests and held > within:
            self.share.give_back(held - within)
            if cell is counter.cell:  # what is held in its place counts from then
                self._begin_cell(counter, steady)
                counter.cell.gone = True
        if actual > within:
            counter.total_at(counter.used_at, steady)
            counter.take(0, steady).settled += actual - within
            counter.total += actual - within

    def settled(self, counter: Counter) -> int:
        return counter.total + self.share.settled_elsewhere - (0 if self._requests else self.share.held)

    def frees_at(self, counter: Counter, amount: int, limit: int, wall: int, steady: int) -> int | None:
        amount = max(amount, 1)
        if amount > limit:
            return NEVER
        if not self._requests and self.settled(counter) + amount <= limit:
            return None
        return self.share.frees_at if self.share.frees_at > wall else None

    def resets_at(self, counter: Counter, wall: int, steady: int) -> int | None:
        cell = counter.cell
        if counter.total + counter.elsewhere <= 0:
            return None
        return wall + cell.last + self.share.length - steady
