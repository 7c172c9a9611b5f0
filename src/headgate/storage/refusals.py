"""Budgets that refused a call for good, on their way to being told: noted at once, looked at off the path of calls."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.ledger.allowance import Allowance
from headgate.storage.alert_rows import AlertedRows
from headgate.storage.database import Database

LOOK_AGAIN_S: Final = 60


class Refusals:
    """An `alerts.dispatcher.Refusals`. Notes are kept in memory only: a budget that is used up goes on to refuse."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._rows = AlertedRows(clock)
        self._noted: dict[str, Allowance] = {}
        self._not_before: dict[str, int] = {}

    def note(self, allowance: Allowance) -> None:
        """It has refused a call. Costs next to nothing, however often it does."""
        self._noted[allowance.id] = allowance

    async def tell(self) -> None:
        """Look at what was noted, at each no more than once a minute. Raises `Unavailable`; then it is noted still."""
        now = self._clock.monotonic()
        self._not_before = {name: moment for name, moment in self._not_before.items() if moment > now}
        due = [allowance for name, allowance in self._noted.items() if name not in self._not_before]
        if due:
            await self._database.write(partial(self._rows.refused, allowances=due))
            self._done(due, now)

    def _done(self, told: Sequence[Allowance], now: int) -> None:
        for allowance in told:
            self._noted.pop(allowance.id, None)
            self._not_before[allowance.id] = now + LOOK_AGAIN_S * NANOS_PER_SECOND
