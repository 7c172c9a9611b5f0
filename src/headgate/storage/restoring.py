"""Allowances are brought up to date with the usage records before anything is decided on them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

from headgate.base.clock import Clock
from headgate.base.errors import Unavailable
from headgate.ledger.allowance import Allowance
from headgate.ledger.ledger import LocalLedger
from headgate.storage.database import Database
from headgate.storage.past_use import past_uses
from headgate.storage.usage_writer import UsageWriter

WRITTEN_WITHIN_S: Final = 5.0
Written = Callable[[], Awaitable[None]]
"""Once it returns, all that was settled before is in the database; see `Restoring.written`."""


class Restoring:
    """Of one process. Asked with the allowances of a policy before its first call is let in. `longest_call_s` is how
    long a call may take."""

    def __init__(
        self, database: Database, ledger: LocalLedger, writer: UsageWriter, clock: Clock, longest_call_s: float
    ) -> None:
        self._database = database
        self.ledger = ledger
        self._writer = writer
        self._clock = clock
        self._longest_call_s = longest_call_s

    async def __call__(self, allowances: Sequence[Allowance]) -> None:
        """Once it returns the ledger knows them all, with their past. Raises `Unavailable`: then nobody may decide."""
        ledger = self.ledger
        missing = [allowance for allowance in allowances if allowance.id not in ledger]
        if not missing:
            return
        await self.written()
        now = self._clock.now()
        found = await self._database.read(
            partial(past_uses, allowances=missing, now=now, longest_call_s=self._longest_call_s)
        )
        for allowance in missing:
            if allowance.id not in ledger:  # somebody else may have asked for it at the same time
                ledger.restore(allowance, found[allowance.id])

    async def written(self) -> None:
        """Once it returns, what was settled before is in the database: an allowance may be new, and the calls it counts
        just over. Raises `Unavailable`."""
        try:
            async with asyncio.timeout(WRITTEN_WITHIN_S):
                await self._writer.flush()
        except TimeoutError:
            raise Unavailable(
                "Headgate cannot tell what is left of this key's limits: settled calls wait for the database.",
                code="database_behind",
                retry_after=1.0,
            ) from None
