"""What one call holds, cell by cell, while it is under way."""

from headgate.ledger.allowance import Allowance, Amounts
from headgate.ledger.counter import Cell, Counter
from headgate.ledger.journal import HoldEntry

Take = tuple[Counter, Cell, int]
"""The counter, the cell in it, and how much of what the cell holds is this call's."""


class Claim:
    """`entry` is how it was journalled, `amounts` is what is held by now.

    `extensions` has the counters of `takes`, in the same order, once for each time the hold grew.
    """

    __slots__ = ("allowances", "amounts", "entry", "extensions", "takes")

    def __init__(self, entry: HoldEntry, allowances: list[Allowance], takes: list[Take]) -> None:
        self.entry = entry
        self.amounts = entry.amounts
        self.allowances = allowances
        self.takes = takes
        self.extensions: list[list[Take]] = []

    def extend(self, amounts: Amounts, figures: tuple[int, ...], steady: int) -> None:
        """Takes `figures` more; `amounts` is what is held then."""
        self.amounts = amounts
        more = []
        for counter, cell, _ in self.takes:
            amount = figures[counter.resource]
            more.append((counter, counter.span.take_more(counter, cell, amount, steady), amount))
        self.extensions.append(more)

    def resolve(self, figures: tuple[int, ...], steady: int) -> None:
        """All that is held is over; `figures` is what it came to."""
        if self.extensions:
            self._resolve_extended(figures, steady)
            return
        for counter, cell, held in self.takes:
            counter.settle(cell, held, figures[counter.resource], steady)

    def _resolve_extended(self, figures: tuple[int, ...], steady: int) -> None:
        """Use fills a hold from the bottom, so what was taken last is given back first."""
        for index, first in enumerate(self.takes):
            stack = [first, *(extension[index] for extension in self.extensions)]
            left = figures[first[0].resource]
            for counter, cell, held in stack[:-1]:
                counter.settle(cell, held, min(held, left), steady)
                left -= min(held, left)
            counter, cell, held = stack[-1]
            counter.settle(cell, held, left, steady)
