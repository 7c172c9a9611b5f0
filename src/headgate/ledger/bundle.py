"""The counters of a call's allowances, found once for all the calls that bring the same ones.

A plan is kept with its allowances, and every call of it brings that very tuple: which counters they have, which of them
are named twice, and which its caller may see is the same for all of them.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from headgate.ledger.allowance import Allowance, Resource
from headgate.ledger.counter import Counter

Shown = tuple[tuple[Allowance, Counter], ...]
_TOKENS: Final = frozenset({Resource.TOKENS, Resource.INPUT_TOKENS, Resource.OUTPUT_TOKENS})


class Tightest(NamedTuple):
    """Of several allowances of a kind, the one of which the least is left."""

    allowance: Allowance
    left: int
    """In the resource's unit; below zero where a cap was lowered."""
    resets_at: int | None
    """When what counts now no longer does (wall clock, nanoseconds); None: it stays, or goes as calls end."""


class Standing(NamedTuple):
    """Where a caller stands: of each kind of limit whose figures it may see, the one with the least left."""

    cost: Tightest | None
    requests: Tightest | None
    tokens: Tightest | None


class Bundle:
    """`allowances` is what it was made for. `checks` has each of them with its counter, and the place of its resource
    in `Amounts.figures`; `taken`, `applying` and `ids` have each counter once: an allowance that is named twice is
    checked twice and taken from once.
    """

    __slots__ = ("allowances", "applying", "checks", "ids", "of_cost", "of_requests", "of_tokens", "taken")

    def __init__(self, allowances: Sequence[Allowance], counters: Sequence[Counter]) -> None:
        self.allowances = allowances
        self.checks = tuple(
            (allowance, counter, counter.resource) for allowance, counter in zip(allowances, counters, strict=True)
        )
        once = {allowance.id: (allowance, counter, place) for allowance, counter, place in reversed(self.checks)}
        self.taken = tuple(once[name] for name in dict.fromkeys(allowance.id for allowance in allowances))
        self.applying = tuple(allowance for allowance, _, _ in self.taken)
        self.ids = tuple(allowance.id for allowance in self.applying)
        self.of_cost = self._shown(frozenset({Resource.COST}))
        self.of_requests = self._shown(frozenset({Resource.REQUESTS}))
        self.of_tokens = self._shown(_TOKENS)

    def not_before(self, wall: int) -> int:
        """The moment at which all of these count now: `wall`, but where the clock was set back since the period of one
        began, as which it goes on."""
        return max([wall, *(counter.span.begun() for _, counter, _ in self.checks)])

    def _shown(self, resources: frozenset[Resource]) -> Shown:
        """Those whose figures a customer may see."""
        return tuple(
            (allowance, counter)
            for allowance, counter, _ in self.checks
            if allowance.resource in resources and allowance.scope.open_to_callers
        )


def tightest(shown: Shown, wall: int, steady: int) -> Tightest | None:
    """As of now: what calls hold is taken off."""
    least: Allowance | None = None
    left = 0
    for allowance, each in shown:
        if wall >= each.stale_wall or steady >= each.stale_steady:
            each.span.advance(each, wall, steady)
        room = allowance.cap - each.total - each.elsewhere
        if least is None or room < left:
            least, left, counter = allowance, room, each
    return None if least is None else Tightest(least, left, counter.span.resets_at(counter, wall, steady))
