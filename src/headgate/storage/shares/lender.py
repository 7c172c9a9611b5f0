"""What the data plane asks of other processes, with its patience: how long a call or a stream waits for them."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from typing import Final

from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.base.errors import Unavailable
from headgate.base.tasks import Tasks
from headgate.ledger.allowance import Allowance, Amounts
from headgate.ledger.hold import Denied, Held
from headgate.ledger.ledger import LocalLedger
from headgate.storage.shares.borrowing import AGAIN_S, Borrowing

RECALL_S: Final = 0.3
"""A stream waits so long for what others have borrowed and do not use."""
AWAY_S: Final = 3.0
"""And so long for an authority that does not answer."""

Way = tuple[Sequence[Allowance], Amounts]


class Lender:
    """A `dataplane.lending.Lending`. One per process."""

    def __init__(
        self, ledger: LocalLedger, borrowing: Borrowing, clock: Clock, report: Callable[[str, BaseException], None]
    ) -> None:
        self._ledger = ledger
        self._borrowing = borrowing
        self._clock = clock
        self._tasks = Tasks(report)
        self.borrow = borrowing.borrow
        self.refresh = borrowing.refresh

    async def close(self) -> None:
        await self._tasks.close()

    async def extend(self, request_id: str, more: Amounts) -> Held | Denied:
        """Where the authority is away, what was denied stays denied after a while."""
        begun = self._clock.monotonic()
        while isinstance(found := self._ledger.extend(request_id, more), Denied):
            patience_s = RECALL_S if 0 < found.asked <= found.left else 0.0
            try:
                enough = await self._borrowing.borrow_more(request_id, more)
            except Unavailable:
                enough, patience_s = False, AWAY_S
            if enough:
                continue
            if self._clock.monotonic() - begun >= patience_s * NANOS_PER_SECOND:
                return self._ledger.extend(request_id, more)
            await asyncio.sleep(AGAIN_S)
        return found

    @contextmanager
    def wanting(self, ways: Sequence[Way], grown: Callable[[Sequence[Allowance]], None]) -> Iterator[None]:
        """One way after the other is asked for: what is asked together would be lent together."""
        task = self._tasks.start(self._want(ways, grown), "a call that waits for room")
        try:
            yield
        finally:
            task.cancel()

    async def _want(self, ways: Sequence[Way], grown: Callable[[Sequence[Allowance]], None]) -> None:
        for allowances, amounts in cycle(ways):
            await asyncio.sleep(AGAIN_S)
            try:
                enough = await self._borrowing.borrow(allowances, amounts, anew=True)
            except Unavailable:
                continue  # the call waits on, as long as it does
            if enough is not False:
                grown(allowances)
