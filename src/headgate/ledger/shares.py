"""How much of an allowance this process may decide on by itself."""

from typing import Protocol

from headgate.ledger.allowance import Allowance


class Shares(Protocol):
    """A share source. The ledger keeps what is settled and held here, in the allowance's current window, within it.

    Whatever the source, the sum of the shares of one allowance over all processes never exceeds its cap.
    """

    def of(self, allowance: Allowance) -> int:
        """In the resource's unit; asked for every allowance of every call, so it must answer from memory."""
        ...


class WholeCaps:
    """The share source of a single process: its share is the whole cap."""

    @staticmethod
    def of(allowance: Allowance) -> int:
        return allowance.cap
