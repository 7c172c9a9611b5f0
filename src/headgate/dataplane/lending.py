"""What other processes leave of allowances that all share, as the data plane asks for it.

The ledger decides on what this process has; only where that is not enough is anybody asked. Implemented in
`storage.shares.lender`; a single process has whole allowances, and nobody to ask.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final, Protocol

from headgate.ledger.allowance import Allowance, Amounts
from headgate.ledger.hold import Denied, Held

RECALLED_WITHIN_S: Final = 0.3
"""What another process has borrowed and does not use is back by then."""

Way = tuple[Sequence[Allowance], Amounts]
"""What a call would hold, and of what."""


class Lending(Protocol):
    """All raise `Unavailable` where nobody can tell what is left."""

    async def borrow(self, allowances: Sequence[Allowance], amounts: Amounts) -> bool | None:
        """What a call lacks for these amounts. True: decide again, and ask again if another call was faster. False:
        there is not enough; decide again, on the figures of now. None: nobody was asked, the decision stands."""
        ...

    async def extend(self, request_id: str, more: Amounts) -> Held | Denied:
        """As the ledger does it, with what others give back in a moment. Raises `JournalUnavailable`."""
        ...

    async def refresh(self, allowances: Sequence[Allowance]) -> None:
        """Once it returns, the ledger's figures of these are those of all processes."""
        ...

    def wanting(
        self, ways: Sequence[Way], grown: Callable[[Sequence[Allowance]], None]
    ) -> AbstractContextManager[None]:
        """Ask for one of these ways again and again meanwhile; `grown` hears when one may fit."""
        ...
