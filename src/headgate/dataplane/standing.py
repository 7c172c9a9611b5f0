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
from headgate.ledger.allowance import Allowance, Resource

_COST: Final = Resource.COST
_REQUESTS: Final = Resource.REQUESTS
_IN_FLIGHT: Final = Resource.IN_FLIGHT
_NONE: Final = 1 << 100
"""More than is left of anything."""

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
    allowances = call.allowances
    if not allowances:
        return headers
    budget, requests, tokens = _NONE, _NONE, _NONE
    tightest = rate_of_requests = rate_of_tokens = allowances[0]
    for allowance, left in zip(allowances, books.lefts(allowances), strict=True):
        if not allowance.scope.open_to_callers:
            continue
        resource = allowance.resource
        if resource is _COST:
            if left < budget:
                budget, tightest = left, allowance
        elif resource is _REQUESTS:
            if left < requests:
                requests, rate_of_requests = left, allowance
        elif resource is not _IN_FLIGHT and left < tokens:
            tokens, rate_of_tokens = left, allowance
    if budget is not _NONE:  # rounded down: what is told is there
        headers.append((b"x-headgate-budget-remaining-usd", usd(max(budget, 0) // 1000 * 1000).encode()))
        headers.append((b"x-headgate-budget-used-usd", usd(tightest.cap - budget).encode()))
    if requests is not _NONE:
        headers += _told(_OF_REQUESTS, rate_of_requests, requests, books.resets_at(rate_of_requests), clock)
    if tokens is not _NONE:
        headers += _told(_OF_TOKENS, rate_of_tokens, tokens, books.resets_at(rate_of_tokens), clock)
    return headers


Names = tuple[bytes, bytes, bytes]
_OF_REQUESTS: Final[Names] = (
    b"x-ratelimit-limit-requests",
    b"x-ratelimit-remaining-requests",
    b"x-ratelimit-reset-requests",
)
_OF_TOKENS: Final[Names] = (b"x-ratelimit-limit-tokens", b"x-ratelimit-remaining-tokens", b"x-ratelimit-reset-tokens")


def _told(names: Names, allowance: Allowance, left: int, resets_at: int | None, clock: Clock) -> list[Header]:
    limit, remaining, reset = names
    told = [(limit, b"%d" % allowance.cap), (remaining, b"%d" % max(left, 0))]
    if resets_at is not None:
        told.append((reset, b"%ds" % max(ceil_div(resets_at - clock.now(), NANOS_PER_SECOND), 0)))
    return told
