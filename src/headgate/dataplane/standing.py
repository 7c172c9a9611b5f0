"""Where a caller stands, in the headers of every answer: of each kind of limit, the one with the least left.

Only of scopes that are the caller's own: what is left of the whole organization's budget is not for its customers.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.base.money import ceil_div, usd
from headgate.dataplane.books import Books
from headgate.dataplane.call import Call
from headgate.ledger.allowance import Allowance
from headgate.ledger.bundle import Tightest

Standing = Callable[[Call], bytes]
"""`standing_lines`, with all but the call handed in."""


def visible(allowances: Sequence[Allowance]) -> Iterator[Allowance]:
    """Those whose figures a customer may see."""
    return (each for each in allowances if each.scope.open_to_callers)


def standing_lines(call: Call, books: Books, clock: Clock) -> bytes:
    """As of now: what this call holds or used is taken off. Figures only, so nothing in them needs to be looked at."""
    lines = b"" if call.max_tokens is None else b"x-headgate-max-tokens: %d\r\n" % call.max_tokens
    if not call.allowances:
        return lines
    budget, requests, tokens = books.standing(call.allowances)
    if budget is not None:  # rounded down: what is told is there
        left = max(budget.left, 0) // 1000 * 1000
        lines += _BUDGET % (usd(left).encode(), usd(budget.allowance.cap - budget.left).encode())
    if requests is not None:
        lines += _told(b"requests", requests, clock)
    if tokens is not None:
        lines += _told(b"tokens", tokens, clock)
    return lines


_BUDGET: Final = b"x-headgate-budget-remaining-usd: %b\r\nx-headgate-budget-used-usd: %b\r\n"
_RATE: Final = b"x-ratelimit-limit-%b: %d\r\nx-ratelimit-remaining-%b: %d\r\n"


def _told(kind: bytes, rate: Tightest, clock: Clock) -> bytes:
    told = _RATE % (kind, rate.allowance.cap, kind, max(rate.left, 0))
    if rate.resets_at is None:
        return told
    within = max(ceil_div(rate.resets_at - clock.now(), NANOS_PER_SECOND), 0)
    return b"%bx-ratelimit-reset-%b: %ds\r\n" % (told, kind, within)
