"""Allowances are brought up to date with the usage records before anything is decided on them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Final

from headgate.base.clock import Clock
from headgate.base.errors import Unavailable
from headgate.ledger.allowance import Allowance
from headgate.ledger.ledger import LocalLedger
from headgate.storage.database import Database
from headgate.storage.past_use import Use, past_uses
from headgate.storage.record_counts import takes, uses
from headgate.storage.usage_writer import UsageWriter

WRITTEN_WITHIN_S: Final = 5.0
Written = Callable[[], Awaitable[None]]
"""Once it returns, all that was settled before is in the database, or set aside; see `Restoring.written`."""


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
        if all(allowance.id in ledger for allowance in allowances):
            return
        await self.written()
        async with self._writer.paused() as waiting:
            missing = [allowance for allowance in allowances if allowance.id not in ledger]
            if not missing:  # somebody else has asked for them at the same time
                return
            now = self._clock.now()
            found = await self._past(missing, now)
            # In one step of the event loop: what is in the database, what waits for it, and what has not ended.
            for allowance in missing:
                past = sorted([*found[allowance.id], *uses(waiting, allowance, now)])
                ledger.restore(allowance, past, partial(takes, allowance=allowance))

    async def past(self, allowances: Sequence[Allowance]) -> Mapping[str, Sequence[Use]]:
        """What the database says of these now, by id. Raises `Unavailable`."""
        return await self._past(allowances, self._clock.now())

    async def _past(self, allowances: Sequence[Allowance], now: int) -> dict[str, list[Use]]:
        return await self._database.read(
            partial(past_uses, allowances=allowances, now=now, longest_call_s=self._longest_call_s)
        )

    async def written(self) -> None:
        """Once it returns, what was settled before is in the database, or set aside because that does not take it: an
        allowance may be new, and the calls it counts just over. Raises `Unavailable`."""
        try:
            async with asyncio.timeout(WRITTEN_WITHIN_S):
                await self._writer.flush()
        except TimeoutError:
            raise Unavailable(
                "Headgate cannot tell what is left of this key's limits: settled calls wait for the database.",
                code="database_behind",
                retry_after=1.0,
            ) from None

    async def all_written(self) -> None:
        """The same, and nothing was set aside: other processes find in the database all that was used here. Raises
        `Unavailable`."""
        await self.written()
        if self._writer.set_aside:
            raise Unavailable(
                "Headgate cannot tell what is left of this key's limits: the database does not take the usage record "
                "of a call that was settled. The log says which, and why.",
                code="database_behind",
                retry_after=1.0,
            )
