"""Where a caller stands, in the headers of every answer: of each kind of limit, the one with the least left.

Only of scopes that are the caller's own: what is left of the whole organization's budget is not for its customers.
"""

from collections.abc import Callable, Iterator, Sequence

from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.base.money import ceil_div, usd
from headgate.dataplane.books import Books
from headgate.dataplane.call import Call
from headgate.dataplane.headers import Header
from headgate.ledger.allowance import Allowance, Resource

_KIND = {
    Resource.REQUESTS: b"requests",
    Resource.TOKENS: b"tokens",
    Resource.INPUT_TOKENS: b"tokens",
    Resource.OUTPUT_TOKENS: b"tokens",
    Resource.COST: b"cost",
}
_HEADERS = {
    kind: tuple(b"x-ratelimit-%b-%b" % (what, kind) for what in (b"limit", b"remaining", b"reset"))
    for kind in (b"requests", b"tokens")
}


Standing = Callable[[Call], list[Header]]
"""`standing_headers`, with all but the call handed in."""


def visible(allowances: Sequence[Allowance]) -> Iterator[Allowance]:
    """Those whose figures a customer may see."""
    return (allowance for allowance in allowances if allowance.scope.kind != "organization")


def standing_headers(call: Call, books: Books, clock: Clock) -> list[Header]:
    """As of now: what this call holds or used is taken off."""
    headers: list[Header] = []
    if call.max_tokens is not None:
        headers.append((b"x-headgate-max-tokens", b"%d" % call.max_tokens))
    tightest: dict[bytes, tuple[int, Allowance]] = {}
    for allowance, left in zip(call.allowances, books.lefts(call.allowances), strict=True):
        kind = _KIND.get(allowance.resource)
        if kind is None or allowance.scope.kind == "organization":
            continue
        if kind not in tightest or left < tightest[kind][0]:
            tightest[kind] = left, allowance
    for kind, (left, allowance) in tightest.items():
        left = max(left, 0)
        if kind == b"cost":  # rounded down: what is told is there
            headers.append((b"x-headgate-budget-remaining-usd", usd(left // 1000 * 1000).encode()))
            continue
        limit, remaining, reset = _HEADERS[kind]
        headers += ((limit, b"%d" % allowance.cap), (remaining, b"%d" % left))
        if (resets_at := books.resets_at(allowance)) is not None:
            headers.append((reset, b"%ds" % max(ceil_div(resets_at - clock.now(), NANOS_PER_SECOND), 0)))
    return headers
