"""The gate before a provider: whoever fits goes through at once; the rest wait, and are let through in fair order.

Only the first in the order is ever asked whether it fits: a large call is not passed by small ones for ever. Pure: a
callback tells a call that its turn has come, and who drives the gate looks again at the time it says.
"""

from collections.abc import Sequence
from typing import Final

from headgate.base.clock import NANOS_PER_MS, NANOS_PER_SECOND, Clock
from headgate.routing.fair_queue import FairQueue
from headgate.routing.learned import Learned
from headgate.routing.place import Place, Told, TurnedAway, Why
from headgate.routing.throughput import Throughput
from headgate.tenancy.capacity import Capacity
from headgate.wire.rate_limits import RateTold

SOONEST_S: Final = 1.0
LATEST_S: Final = 60.0
"""When a call that is turned away is told to come back."""


class Gate:
    """Of one integration; of one model of it where its capacity is learned."""

    def __init__(self, capacity: Capacity, clock: Clock) -> None:
        self._clock = clock
        self._capacity = capacity
        self._room: Throughput | Learned = Learned() if capacity.learned else Throughput(capacity, clock.monotonic())
        self._queue = FairQueue()
        self._turn_at = 0
        self._pace = NANOS_PER_SECOND
        """Between two turns of calls that waited, about."""

    @property
    def waiting(self) -> int:
        return len(self._queue)

    @property
    def idle(self) -> bool:
        return self._queue.idle

    @property
    def learns(self) -> bool:
        """Whether it is to be told of answers."""
        return isinstance(self._room, Learned)

    def configure(self, capacity: Capacity) -> bool:
        """What an administrator says now; whoever waits is asked again. Figures stay figures. Whether it is news."""
        if capacity == self._capacity:
            return False
        self._capacity = capacity
        if isinstance(self._room, Throughput):
            self._room.configure(capacity)
        self.advance()
        return True

    def refuse(self, tenant: str, size: int) -> None:
        """Raises `TurnedAway` where such a call could not even wait."""
        now = self._clock.monotonic()
        if not self._fits(size, now):
            self._refuse(size, self._queue.waiting_of(tenant), self.waiting, now)

    def enter(self, tenant: str, weight: int, size: int, tell: Told) -> Place:
        """Where its `taken` is set it is through. Else it waits, and will be told once, unless it ends before.

        Raises `TurnedAway`. `size` is tokens, as many as it may use.
        """
        now = self._clock.monotonic()
        place = Place(self._queue.flow(tenant), size, weight, tell)
        if self._fits(size, now):
            self._queue.join(place)
            self._let_through(place, now)
            return place
        if not self._queue:
            self._turn_at = now
        self._queue.join(place)
        self.advance()  # it may be the first, and fit where the one before it does not
        if place.taken is None:
            self._keep_waiting(place, now)
        return place

    def end(self, place: Place, used: int | None) -> None:
        """It is over, or waits no more. `used` is tokens; None: it was never sent. Only the first time counts."""
        if place.over:
            return
        place.over = True
        if place.taken is None:
            self._queue.leave(place)
        else:
            self._room.give(place.taken, used, self._clock.monotonic())
            self._queue.correct(place, used or 0)
        self.advance()

    def advance(self) -> None:
        """Let through whoever fits now."""
        now = self._clock.monotonic()
        while (first := self._queue.first()) is not None and self._room.fits(first.size, now):
            self._pace += (now - self._turn_at - self._pace) // 8
            self._turn_at = now
            self._let_through(first, now)
            first.tell(None)

    def changes_at(self) -> int | None:
        """When to `advance` though no call has ended (monotonic). None: there is no need."""
        first = self._queue.first()
        return None if first is None else self._room.changes_at(first.size, self._clock.monotonic())

    def answered(self, place: Place, told: Sequence[RateTold]) -> None:
        """What an answer says of the capacity, where that is to be learned."""
        if isinstance(self._room, Learned) and place.taken is not None:
            self._room.answered(place.taken, told, self._clock.monotonic())
            self.advance()

    def throttled(self, place: Place, wait_s: float | None) -> None:
        """The answer was a 429; it may say when to come back."""
        if isinstance(self._room, Learned) and place.taken is not None:
            self._room.throttled(place.taken, wait_s, self._clock.monotonic())

    def waited(self) -> TurnedAway:
        """For a call that has waited as long as it may."""
        return TurnedAway(Why.WAITED, self._retry_after())

    def _fits(self, size: int, now: int) -> bool:
        return not self._queue and self._room.fits(size, now)

    def _keep_waiting(self, place: Place, now: int) -> None:
        try:
            self._refuse(place.size, len(place.flow.waiting) - 1, self.waiting - 1, now)
        except TurnedAway:
            self._leave(place)
            raise
        if self.waiting > self._capacity.max_waiting:  # it is not for those who filled it to keep others out
            longest = self._queue.last_of_longest()
            self._leave(longest)
            longest.tell(TurnedAway(Why.QUEUE, self._retry_after()))

    def _leave(self, place: Place) -> None:
        place.over = True
        self._queue.leave(place)

    def _refuse(self, size: int, own: int, waiting: int, now: int) -> None:
        """`own` calls of its tenant wait, and `waiting` in all."""
        capacity = self._capacity
        if own >= capacity.max_waiting_per_tenant:
            raise TurnedAway(Why.TENANT_QUEUE, self._retry_after())
        if waiting >= capacity.max_waiting and own + 1 >= self._queue.longest():
            raise TurnedAway(Why.QUEUE, self._retry_after())
        opens_in = self._room.opens_at(size, now) - now
        if opens_in > capacity.max_wait_ms * NANOS_PER_MS:
            raise TurnedAway(Why.TOO_LATE, opens_in / NANOS_PER_SECOND)

    def _let_through(self, place: Place, now: int) -> None:
        place.taken = self._room.take(place.size, now)
        self._queue.serve(place)

    def _retry_after(self) -> float:
        return min(max(self.waiting * self._pace / NANOS_PER_SECOND, SOONEST_S), LATEST_S)
