"""What one call holds, cell by cell, while it is under way."""

from msgspec.structs import replace

from headgate.ledger.allowance import Allowance, Amounts
from headgate.ledger.counter import Cell, Counter
from headgate.ledger.journal import HoldEntry
from headgate.ledger.record import UsageRecord

Take = tuple[Counter, Cell, int]
"""The counter, the cell in it, and how much of what the cell holds is this call's."""


def no_call(unheard: UsageRecord) -> bool:
    """Whose record counts where none does."""
    return False


class Claim:
    """`entry` is how it was journalled, `amounts` is what is held by now; `unheard` is there once it is dispatched.

    `extensions` has the counters of `takes`, in the same order, once for each time the hold grew.
    """

    __slots__ = ("allowances", "amounts", "entry", "extensions", "takes", "unheard")

    def __init__(self, entry: HoldEntry, allowances: tuple[Allowance, ...], takes: list[Take]) -> None:
        self.entry = entry
        self.amounts = entry.amounts
        self.allowances = allowances
        self.takes = takes
        self.extensions: list[list[Take]] = []
        self.unheard: UsageRecord | None = None

    def extend(self, amounts: Amounts, figures: tuple[int, ...], steady: int) -> None:
        """Takes `figures` more; `amounts` is what is held then."""
        self.amounts = amounts
        more = []
        for counter, cell, _ in self.takes:
            amount = figures[counter.resource]
            more.append((counter, counter.span.take_more(counter, cell, amount, steady), amount))
        self.extensions.append(more)

    def join(self, allowance: Allowance, counter: Counter, steady: int) -> None:
        """All that is held counts in this allowance too, which was not there when it was taken."""
        entry = self.entry
        self.entry = replace(entry, allowances=(*entry.allowances, allowance.id))
        self.allowances += (allowance,)
        amount = self.amounts.figures(in_flight=1)[counter.resource]
        cell = counter.take(amount, steady)
        self.takes.append((counter, cell, amount))
        for extension in self.extensions:
            extension.append((counter, cell, 0))

    def resolve(self, figures: tuple[int, ...], steady: int) -> None:
        """All that is held is over; `figures` is what it came to."""
        if self.extensions:
            self._resolve_extended(figures, steady)
            return
        for counter, cell, held in self.takes:  # `Counter.settle`, written out: it is every allowance of every call
            actual = figures[counter.resource]
            if actual > held or cell.gone:
                counter.settle(cell, held, actual, steady)
            else:
                cell.held -= held
                cell.settled += actual
                counter.total += actual - held

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
