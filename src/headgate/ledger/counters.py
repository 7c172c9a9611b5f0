"""The counters of all allowances that were asked for, by allowance id."""

from collections.abc import Sequence
from typing import Final

from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.ledger.allowance import Allowance, Resource, WindowKind
from headgate.ledger.balance import PastUse, no_past
from headgate.ledger.bundle import Bundle
from headgate.ledger.counter import Counter
from headgate.ledger.period import period_of
from headgate.ledger.shares import Shares

MOST_BUNDLES: Final = 8_192


class Counters(dict[str, Counter]):
    """A counter is made when its allowance is first asked for, and starts at what usage records say of the past."""

    def __init__(self, clock: Clock, shares: Shares, past_use: PastUse = no_past) -> None:
        super().__init__()
        self._new = shares.counter
        self._clock = clock
        self._past_use = past_use
        self._bundles: dict[int, Bundle] = {}
        """By the identity of their allowances, which they keep alive."""

    def open(self, allowance: Allowance) -> Counter:
        """The counter, made if there is none. Raises ValueError for a window that cannot be."""
        counter = self.get(allowance.id)
        if counter is None:
            wall, steady = self._clock.now(), self._clock.monotonic()
            counter = self._new(allowance, wall, steady)
            if allowance.resource is not Resource.IN_FLIGHT:
                past = self._past_use(allowance, _begin(allowance, wall))
                counter.span.restore(counter, past, wall, steady)
            self[allowance.id] = counter
        return counter

    def bundle(self, allowances: Sequence[Allowance]) -> Bundle:
        """The counters of these, made where there are none: the same bundle for the same tuple, until a counter of any
        goes. Raises ValueError for a window that cannot be."""
        bundle = self._bundles.get(id(allowances))
        if bundle is None:
            bundle = Bundle(allowances, [self.open(each) for each in allowances])
            if type(allowances) is tuple:
                if len(self._bundles) >= MOST_BUNDLES:
                    self._bundles.clear()
                self._bundles[id(allowances)] = bundle
        return bundle

    def drop(self, allowance_id: str) -> None:
        """Whoever asks for it again gets another one."""
        if self.pop(allowance_id, None) is not None:
            self._bundles.clear()

    def reset(self, allowance_id: str) -> None:
        """Begin the allowance's window anew, now."""
        counter = self.get(allowance_id)
        if counter is not None:
            counter.span.reset(counter, self._clock.monotonic())

    def forget_idle(self, unused_since: int, busy: set[Counter]) -> int:
        """Drop counters nobody asked for since that moment (wall clock) but the busy ones; how many went.

        Only where the use can be found again: at zero, or in the usage records. So call it while every call that was
        settled before is in them.
        """
        wall, steady = self._clock.now(), self._clock.monotonic()
        idle = []
        for allowance_id, counter in self.items():
            if counter.used_at >= unused_since or counter in busy:
                continue
            if self._past_use is not no_past or not counter.total_at(wall, steady):
                idle.append(allowance_id)
        for allowance_id in idle:
            self.drop(allowance_id)
        return len(idle)


def counting_since(allowance: Allowance, wall: int) -> int:
    """The earliest moment (wall clock) of a hold that counts now if its call is under way: tokens and cost in a sliding
    window, and calls in flight, count as long as their call lasts."""
    if allowance.resource is Resource.IN_FLIGHT:
        return 0
    if allowance.window.kind is WindowKind.SLIDING and allowance.resource is not Resource.REQUESTS:
        return allowance.since
    return max(_begin(allowance, wall), allowance.since)


def _begin(allowance: Allowance, wall: int) -> int:
    if allowance.window.kind is WindowKind.SLIDING:
        return wall - allowance.window.seconds * NANOS_PER_SECOND
    return max(period_of(allowance.window, wall).start, 0)
