"""Budgets that refused a call for good, or sent it to a cheaper model, on their way to being told.

Noted at once, looked at off the path of calls.
"""

from collections.abc import Iterable, Mapping, MutableMapping
from functools import partial
from typing import Final, TypeVar

from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.ledger.allowance import Allowance
from headgate.storage.alert_rows import AlertedRows
from headgate.storage.database import Database
from headgate.storage.downgrade_rows import DowngradeRows
from headgate.tenancy.alert_events import Downgraded

T = TypeVar("T")
LOOK_AGAIN_S: Final = 60


class Refusals:
    """An `alerts.dispatcher.Refusals`. Notes are kept in memory only: a budget that is used up goes on to refuse."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._rows = AlertedRows(clock)
        self._downgrades = DowngradeRows(clock)
        self._noted: dict[str, Allowance] = {}
        self._downgraded: dict[str, Downgraded] = {}
        self._not_before: dict[str, int] = {}

    def note(self, allowance: Allowance) -> None:
        """It has refused a call. Costs next to nothing, however often it does."""
        self._noted[allowance.id] = allowance

    def downgraded(self, found: Downgraded) -> None:
        """A call went to a cheaper model."""
        self._downgraded[f"{found.allowance.id} of {found.owner.tenant_id}"] = found

    async def tell(self) -> None:
        """Look at what was noted, at each no more than once a minute. Raises `Unavailable`; then it is noted still."""
        now = self._clock.monotonic()
        self._not_before = {name: moment for name, moment in self._not_before.items() if moment > now}
        if refused := self._due(self._noted):
            await self._database.write(partial(self._rows.refused, allowances=list(refused.values())))
            self._done(self._noted, refused, now)
        if downgraded := self._due(self._downgraded):
            await self._database.write(partial(self._downgrades.tell, noted=list(downgraded.values())))
            self._done(self._downgraded, downgraded, now)

    def _due(self, noted: Mapping[str, T]) -> dict[str, T]:
        return {name: each for name, each in noted.items() if name not in self._not_before}

    def _done(self, noted: MutableMapping[str, T], told: Iterable[str], now: int) -> None:
        for name in told:
            noted.pop(name, None)
            self._not_before[name] = now + LOOK_AGAIN_S * NANOS_PER_SECOND
