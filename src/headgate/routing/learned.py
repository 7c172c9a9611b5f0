"""How much of a provider there is, as its answers tell: what is left by its headers, and where it said 429. Pure."""

from collections.abc import Sequence
from typing import Final

from headgate.base.clock import NANOS_PER_SECOND
from headgate.routing.throughput import Taken
from headgate.wire.rate_limits import RateTold

MINUTE: Final = 60 * NANOS_PER_SECOND
PAUSE: Final = NANOS_PER_SECOND
"""How long nothing is sent after a 429 that does not say."""
LONGEST_PAUSE: Final = MINUTE


class Level:
    """What is left of one of its limits. It comes back evenly, over the time the provider says it takes."""

    __slots__ = ("_at", "_gain", "_left", "_limit", "_span")

    def __init__(self, told: RateTold, sent_since: int, now: int) -> None:
        """`sent_since`: what was sent after the call that was answered, and so is not counted yet."""
        missing, reset = told.limit - told.remaining, int(told.reset_s * NANOS_PER_SECOND)
        self._limit = told.limit
        self._left = max(told.remaining - sent_since, 0)
        self._gain, self._span = (missing, reset) if missing > 0 and reset > 0 else (told.limit, MINUTE)
        self._at = now

    def take(self, amount: int, now: int) -> None:
        self._left = max(self.left(now) - amount, 0)
        self._at = now

    def left(self, now: int) -> int:
        return min(self._limit, self._left + self._gain * (now - self._at) // self._span)

    def fits_at(self, amount: int, now: int) -> int:
        """When there is so much; where it is more than there ever is, when there is all of it."""
        lacking = min(amount, self._limit) - self.left(now)
        if lacking <= 0:
            return now
        lacking = min(amount, self._limit) - self._left
        return self._at - (-lacking * self._span // self._gain)


class Learned:
    """A `Room`. Without a word from the provider there is no end of it.

    After a 429 nothing is sent until the provider says, and then half as many calls at once as were under way; one more
    each time so many have gone well.
    """

    def __init__(self) -> None:
        self._levels: dict[str, Level] = {}
        self._sent = {"requests": 0, "tokens": 0}
        """In all; an answer counts what was sent until its own call."""
        self._marks: dict[int, tuple[int, int]] = {}
        self._number = 0
        self._opens_at = 0
        self._most: int | None = None
        self._went_well = 0
        self._throttled_at = 0
        """The number of the last call that was sent before the last cut."""

    def fits(self, tokens: int, now: int) -> bool:
        return not self._is_full() and self.opens_at(tokens, now) <= now

    def take(self, tokens: int, now: int) -> Taken:
        self._number += 1
        for kind, amount in (("requests", 1), ("tokens", tokens)):
            self._sent[kind] += amount
            if (level := self._levels.get(kind)) is not None:
                level.take(amount, now)
        self._marks[self._number] = self._sent["requests"], self._sent["tokens"]
        return Taken(tokens, number=self._number)

    def give(self, taken: Taken, used: int | None, now: int) -> None:
        del self._marks[taken.number]

    def changes_at(self, tokens: int, now: int) -> int | None:
        return None if self._is_full() else self.opens_at(tokens, now)

    def opens_at(self, tokens: int, now: int) -> int:
        asked = {"requests": 1, "tokens": tokens}
        return max([now, self._opens_at, *(level.fits_at(asked[kind], now) for kind, level in self._levels.items())])

    def answered(self, taken: Taken, told: Sequence[RateTold], now: int) -> None:
        """A success, or an error of the call's own."""
        if taken.number not in self._marks:
            return
        marks = dict(zip(("requests", "tokens"), self._marks[taken.number], strict=True))
        for each in told:
            self._levels[each.kind] = Level(each, self._sent[each.kind] - marks[each.kind], now)
        if self._most is not None and len(self._marks) >= self._most:
            self._went_well += 1
            if self._went_well >= self._most:
                self._most, self._went_well = self._most + 1, 0

    def throttled(self, taken: Taken, wait_s: float | None, now: int) -> None:
        """It said 429, and until when it wants to be left alone. Calls that were sent before it said so for the first
        time do not count as told once more."""
        pause = PAUSE if wait_s is None else min(int(wait_s * NANOS_PER_SECOND), LONGEST_PAUSE)
        self._opens_at = max(self._opens_at, now + pause)
        if taken.number > self._throttled_at:
            self._throttled_at = self._number
            self._most, self._went_well = max(len(self._marks) // 2, 1), 0

    def _is_full(self) -> bool:
        return self._most is not None and len(self._marks) >= self._most
