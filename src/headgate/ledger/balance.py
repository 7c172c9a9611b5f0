"""Where an allowance stands, for whom it concerns."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from headgate.ledger.allowance import Allowance


@dataclass(frozen=True, slots=True)
class Balance:
    """In the resource's unit, in the current window. `left` is never below zero, even where a cap was lowered."""

    allowance: Allowance
    used: int
    """Settled."""
    held: int
    """Claimed by calls under way: the most they can come to."""
    left: int
    resets_at: int | None
    """Wall clock, nanoseconds, when what is used now no longer counts; None for a lifetime, or if nothing is used."""


class PastUse(Protocol):
    """What usage records say of an allowance that was not asked for since this process started."""

    def __call__(self, allowance: Allowance, since: int, /) -> Iterable[tuple[int, int]]:
        """(moment, amount) of the calls that count at `since` or later (wall clock, nanoseconds), oldest first.

        A call counts from the moment it began, and tokens and cost in a sliding window from the moment it ended: it
        may have been extended until then, and must not leave the window too soon. Sums are welcome: of calls in one
        period one sum is enough; in a sliding window a sum may stand for at most a sixtieth of its length, and its
        moment is that of the last call in it.
        """
        ...


def no_past(allowance: Allowance, since: int) -> Iterable[tuple[int, int]]:
    """Every allowance starts at zero."""
    return ()
