"""How much of a provider is taken: calls under way, and requests and tokens of the last minute. Pure."""

from typing import Final, Protocol

from headgate.ledger.allowance import LIFETIME, Allowance, Resource, Scope, Window, WindowKind
from headgate.ledger.counter import Cell, Counter
from headgate.ledger.period import NEVER
from headgate.ledger.window import counter_for
from headgate.tenancy.capacity import Capacity

_MINUTE: Final = Window(WindowKind.SLIDING, seconds=60)
_COUNTED: Final = ((Resource.IN_FLIGHT, LIFETIME), (Resource.REQUESTS, _MINUTE), (Resource.TOKENS, _MINUTE))


class Taken:
    """What one call takes: its tokens at most, and the cells it is counted in."""

    __slots__ = ("cells", "number", "tokens")

    def __init__(self, tokens: int, cells: tuple[Cell, ...] = (), number: int = 0) -> None:
        self.tokens = tokens
        self.cells = cells
        self.number = number


class Room(Protocol):
    """Times are monotonic nanoseconds."""

    def fits(self, tokens: int, now: int) -> bool: ...

    def take(self, tokens: int, now: int) -> Taken: ...

    def give(self, taken: Taken, used: int | None, now: int) -> None:
        """The call is over, and used so many tokens; None: it was never sent."""
        ...

    def changes_at(self, tokens: int, now: int) -> int | None:
        """When time alone may have made room for a call that does not fit. None: only the end of another call does."""
        ...

    def opens_at(self, tokens: int, now: int) -> int:
        """Before this moment there is no room for such a call, whoever else gives up."""
        ...


class Throughput:
    """A `Room` of configured figures. Never more than they say is under way, or was taken in any minute.

    A call that alone may use more tokens than there are in a minute counts as all of them.
    """

    def __init__(self, capacity: Capacity, now: int) -> None:
        scope = Scope("integration", "")
        self._counters = tuple(
            counter_for(Allowance(resource.value, scope, resource, window, 0), now, now)
            for resource, window in _COUNTED
        )
        self._caps: tuple[int, ...] = ()
        self.configure(capacity)

    def configure(self, capacity: Capacity) -> None:
        """What is taken stays so."""
        caps = capacity.max_concurrency, capacity.requests_per_minute, capacity.tokens_per_minute
        self._caps = tuple([NEVER if cap is None else cap for cap in caps])

    def fits(self, tokens: int, now: int) -> bool:
        return not self._short(tokens, now)

    def take(self, tokens: int, now: int) -> Taken:
        asked = self._asked(tokens)
        for counter in self._counters:
            counter.total_at(now, now)
        cells = [counter.take(each, now) for counter, each in zip(self._counters, asked, strict=True)]
        return Taken(asked[2], tuple(cells))

    def give(self, taken: Taken, used: int | None, now: int) -> None:
        held = (1, 1, taken.tokens)
        came_to = (0, 0, 0) if used is None else (0, 1, used)
        for counter, cell, before, after in zip(self._counters, taken.cells, held, came_to, strict=True):
            counter.total_at(now, now)
            counter.settle(cell, before, after, now)

    def changes_at(self, tokens: int, now: int) -> int | None:
        moments = [counter.stale_steady for counter, _, _ in self._short(tokens, now)]
        latest = max(moments, default=NEVER)
        return None if latest >= NEVER else latest

    def opens_at(self, tokens: int, now: int) -> int:
        found = [counter.span.frees_at(counter, each, cap, now, now) for counter, each, cap in self._short(tokens, now)]
        return max([moment for moment in found if moment is not None], default=now)

    def _short(self, tokens: int, now: int) -> list[tuple[Counter, int, int]]:
        """Of which there is not enough: the counter, what is asked of it, and its cap."""
        return [
            (counter, each, cap)
            for counter, each, cap in zip(self._counters, self._asked(tokens), self._caps, strict=True)
            if counter.total_at(now, now) + each > cap
        ]

    def _asked(self, tokens: int) -> tuple[int, int, int]:
        return 1, 1, min(tokens, self._caps[2])
