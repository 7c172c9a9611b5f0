"""Why a call does not fit: the allowance that stands in the way longest, in figures."""

from typing import Final

from headgate.base.clock import NANOS_PER_SECOND
from headgate.ledger.allowance import Allowance
from headgate.ledger.counter import Counter
from headgate.ledger.hold import Denied
from headgate.ledger.period import NEVER

RETRY_HELD: Final = NANOS_PER_SECOND
"""When to come back if other calls hold what is left: nobody knows when they end, most do within moments."""


RETRY_LENT: Final = NANOS_PER_SECOND // 4
"""When to come back if other processes have borrowed what is left: they give back what they do not use."""


def refused(
    allowance: Allowance, counter: Counter, asked: int, left: int, wall: int, steady: int
) -> tuple[int, Denied] | None:
    """The denial and when it ends (wall clock), for a call that asks for more than there is room for.

    None for a call that asks for nothing: it passes until the allowance is spent, whatever others hold.
    """
    if not asked and counter.span.settled(counter) < allowance.cap:
        return None
    frees_at = counter.span.frees_at(counter, asked, allowance.cap, wall, steady)
    exhausted = frees_at is not None and not counter.span.is_rate
    by_calls = RETRY_LENT if 0 < asked <= left else RETRY_HELD
    ends_at = wall + by_calls if frees_at is None else frees_at
    retry_after = None if ends_at >= NEVER else (ends_at - wall) / NANOS_PER_SECOND
    resets_at = counter.span.resets_at(counter, wall, steady)
    room, used = max(left, 0), allowance.cap - left
    return ends_at, Denied(allowance, asked, room, exhausted, retry_after, resets_at, frees_at is None, used)


def tightest(denials: list[tuple[int, Denied]]) -> Denied:
    """The one that ends last, the first of these where several do."""
    return max(denials, key=lambda denial: denial[0])[1]
