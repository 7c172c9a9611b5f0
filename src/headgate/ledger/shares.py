"""How much of an allowance this process may decide on by itself."""

from typing import Protocol

from headgate.ledger.allowance import Allowance
from headgate.ledger.counter import Counter
from headgate.ledger.window import counter_for


class Shares(Protocol):
    """A share source. The ledger keeps what is settled and held here, in the allowance's current window, within it.

    Whatever the source, the sum of the shares of one allowance over all processes never exceeds its cap.
    """

    def counter(self, allowance: Allowance, wall: int, steady: int) -> Counter:
        """The counter of an allowance that is asked for the first time. Raises ValueError for a window that cannot
        be."""
        ...

    def of(self, allowance: Allowance) -> int:
        """In the resource's unit; asked for every allowance of every call, once its counter was brought up to date, so
        it must answer from memory."""
        ...


class WholeCaps:
    """The share source of a single process: its share is the whole cap."""

    counter = staticmethod(counter_for)

    @staticmethod
    def of(allowance: Allowance) -> int:
        return allowance.cap
