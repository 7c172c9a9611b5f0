"""Who is next where there is no room for all: start-time fair queueing, calls counted by their tokens.

Virtual time says how much a tenant has had, in tokens by weight. Each tenant has a *tag*: the virtual time at which its
next call begins. Who has the smallest tag is next, and where others wait moves its tag on by the size of its call. The
time is the tag of whoever was served last, and who comes back after a rest begins there: nobody saves up turns, and
nobody pays for having been alone. Pure.

Of two tenants that wait all the while, what they were served differs, by weight, by no more than a call of each and
what is still open of those under way, however fast or slow the provider is (Goyal, Vin and Cheng 1996; with many calls
served at once: Jin, Chase and Kaur 2004).
"""

import heapq
import itertools
from typing import Final

from headgate.routing.place import Flow, Place

KEPT: Final = 64
"""So many tenants are remembered without looking for those that may be forgotten."""


class FairQueue:
    """`join`, then `serve` while it is `first`, then `correct`; or `join` and `leave`. Each once."""

    def __init__(self) -> None:
        self._flows: dict[str, Flow] = {}
        self._heap: list[tuple[int, int, Flow]] = []
        """By tag. A pair whose flow has another tag by now, or nobody that waits, means nothing."""
        self._time = 0
        self._numbers = itertools.count()
        self._waiting = 0
        self._under_way = 0
        self._sweep_at = KEPT

    def __len__(self) -> int:
        """How many wait."""
        return self._waiting

    @property
    def idle(self) -> bool:
        """Nobody waits, and nobody that was served is still under way."""
        return not self._waiting and not self._under_way

    def waiting_of(self, name: str) -> int:
        flow = self._flows.get(name)
        return 0 if flow is None else len(flow.waiting)

    def flow(self, name: str) -> Flow:
        """For a place that joins at once."""
        flow = self._flows.get(name)
        if flow is None:
            if len(self._flows) >= self._sweep_at:
                self._sweep()
            flow = self._flows[name] = Flow(name, self._time)
        return flow

    def join(self, place: Place) -> None:
        flow = place.flow
        flow.waiting.append(place)
        self._waiting += 1
        if len(flow.waiting) == 1:
            flow.tag = max(flow.tag, self._time)
            self._push(flow)

    def first(self) -> Place | None:
        """Who is next."""
        heap = self._heap
        while heap:
            tag, _, flow = heap[0]
            if flow.waiting and flow.tag == tag:
                return flow.waiting[0]
            heapq.heappop(heap)
        return None

    def longest(self) -> int:
        """How many wait of the tenant with the most."""
        return max((len(flow.waiting) for flow in self._flows.values()), default=0)

    def last_of_longest(self) -> Place:
        """Of the tenant with the most calls that wait, the one that came last. Somebody waits."""
        return max(self._flows.values(), key=lambda flow: len(flow.waiting)).waiting[-1]

    def serve(self, place: Place) -> None:
        """It is the first, and its turn has come."""
        flow = place.flow
        flow.waiting.popleft()
        self._waiting -= 1
        flow.under_way += 1
        self._under_way += 1
        self._time = max(self._time, flow.tag)
        place.charged = self._waiting > 0  # else it took nothing from anybody
        if place.charged:
            self._move(flow, place.cost(place.size))

    def leave(self, place: Place) -> None:
        """It does not wait any more, and was not served."""
        place.flow.waiting.remove(place)
        self._waiting -= 1
        self._rest()

    def correct(self, place: Place, used: int) -> None:
        """A call that was served is over, and this is what it came to, in tokens."""
        flow = place.flow
        flow.under_way -= 1
        self._under_way -= 1
        if place.charged:
            self._move(flow, place.cost(used) - place.cost(place.size))
        self._rest()

    def _move(self, flow: Flow, by: int) -> None:
        flow.tag += by
        if flow.waiting:
            self._push(flow)

    def _push(self, flow: Flow) -> None:
        heapq.heappush(self._heap, (flow.tag, next(self._numbers), flow))

    def _rest(self) -> None:
        """When nobody is there, nobody has had more than another."""
        if self.idle:
            self._flows.clear()
            self._heap.clear()
            self._time = 0

    def _sweep(self) -> None:
        """Those that would begin at the present time anyway."""
        self._flows = {
            name: flow for name, flow in self._flows.items() if flow.waiting or flow.under_way or flow.tag > self._time
        }
        self._sweep_at = max(KEPT, 2 * len(self._flows))
