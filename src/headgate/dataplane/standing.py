"""Where a caller stands, in the headers of every answer: of each kind of limit, the one with the least left.

Only of scopes that are the caller's own: what is left of the whole organization's budget is not for its customers.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.base.money import ceil_div, usd
from headgate.dataplane.books import Books
from headgate.dataplane.call import Call
from headgate.dataplane.headers import Header
from headgate.ledger.allowance import Allowance
from headgate.ledger.bundle import Tightest

Standing = Callable[[Call], list[Header]]
"""`standing_headers`, with all but the call handed in."""


def visible(allowances: Sequence[Allowance]) -> Iterator[Allowance]:
    """Those whose figures a customer may see."""
    return (each for each in allowances if each.scope.open_to_callers)


def standing_headers(call: Call, books: Books, clock: Clock) -> list[Header]:
    """As of now: what this call holds or used is taken off."""
    headers: list[Header] = []
    if call.max_tokens is not None:
        headers.append((b"x-headgate-max-tokens", b"%d" % call.max_tokens))
    if not call.allowances:
        return headers
    budget, requests, tokens = books.standing(call.allowances)
    if budget is not None:  # rounded down: what is told is there
        left = max(budget.left, 0) // 1000 * 1000
        headers.append((b"x-headgate-budget-remaining-usd", usd(left).encode()))
        headers.append((b"x-headgate-budget-used-usd", usd(budget.allowance.cap - budget.left).encode()))
    if requests is not None:
        headers += _told(_OF_REQUESTS, requests, clock)
    if tokens is not None:
        headers += _told(_OF_TOKENS, tokens, clock)
    return headers


Names = tuple[bytes, bytes, bytes]
_OF_REQUESTS: Final[Names] = (
    b"x-ratelimit-limit-requests",
    b"x-ratelimit-remaining-requests",
    b"x-ratelimit-reset-requests",
)
_OF_TOKENS: Final[Names] = (b"x-ratelimit-limit-tokens", b"x-ratelimit-remaining-tokens", b"x-ratelimit-reset-tokens")


def _told(names: Names, rate: Tightest, clock: Clock) -> list[Header]:
    limit, remaining, reset = names
    told = [(limit, b"%d" % rate.allowance.cap), (remaining, b"%d" % max(rate.left, 0))]
    if rate.resets_at is not None:
        told.append((reset, b"%ds" % max(ceil_div(rate.resets_at - clock.now(), NANOS_PER_SECOND), 0)))
    return told
