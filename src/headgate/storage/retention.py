"""What is kept no longer than the settings say, removed in small steps by one process at a time; on PostgreSQL also the
partitions of usage records, made ahead and dropped."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from sqlalchemy import Connection, delete, select, text, tuple_

from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.base.tasks import Tasks
from headgate.storage import partitions
from headgate.storage.analytics_tables import BY_DAY, BY_WHAT, FULL, WHAT_BY_DAY, usage_cell, usage_what
from headgate.storage.answer_tables import answer_purge
from headgate.storage.database import Database
from headgate.storage.forgetting import Spans, forget_before, remove_some, taken_before
from headgate.storage.kept_retention import remove_batches, remove_responses
from headgate.storage.kept_sums import Key
from headgate.storage.log_tables import sent_log
from headgate.tenancy.answer_purge import KEPT_S

LOOK_EVERY_S: Final = 600.0
DAY: Final = 86_400 * NANOS_PER_SECOND
AT_ONCE: Final = 500
_LOCK: Final = 0x6B656570  # any number, the same in every process that removes
Step = Callable[[Connection], int]
Failed = Callable[[str, BaseException], None]


@dataclass(frozen=True, slots=True)
class Keep:
    """For how many days; None: for good."""

    usage: int | None = None
    rollups: int | None = None
    logs: int | None = None
    responses: int | None = None


class Retention:
    """One per process. Several may share a database: they step aside for one another."""

    def __init__(self, database: Database, clock: Clock, keep: Keep, on_failure: Failed) -> None:
        self._database = database
        self._clock = clock
        self._keep = keep
        self._on_failure = on_failure
        self._tasks = Tasks(on_failure)

    def start(self) -> None:
        self._tasks.start(self._watch(), "retention")

    async def close(self) -> None:
        await self._tasks.close()

    async def turn(self) -> None:
        """Make the partitions that are missing, and remove what is too old. Raises `Unavailable`; what was removed
        until then is gone, and whoever comes next goes on."""
        now = self._clock.now()
        on_postgresql = self._database.facts().engine == "postgresql"
        if on_postgresql:
            await self._database.write(partial(partitions.make_months, now=now))
        if (before := _before(now, self._keep.usage)) is not None:
            if on_postgresql:
                await self._drop_months(before, now)
            else:
                await self._steps(partial(remove_some, before=before, now=now))
            await self._steps(partial(remove_batches, before=before))
        if (before := _before(now, self._keep.rollups)) is not None:
            await self._steps(partial(_remove_cells, before=before))
        if (before := _before(now, self._keep.logs)) is not None:
            await self._steps(partial(_remove_logs, before=before))
        if (before := _before(now, self._keep.responses)) is not None:
            await self._steps(partial(remove_responses, before=before))
        await self._steps(partial(_remove_purges, before=now - 2 * KEPT_S * NANOS_PER_SECOND))

    async def _watch(self) -> None:
        while True:
            try:
                await self.turn()
            except Exception as error:  # it is tried again in some minutes
                self._on_failure("things are kept longer than they should be", error)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _drop_months(self, before: int, now: int) -> None:
        """Those that are over, the oldest first."""
        for month in await self._database.read(partitions.months):
            if month.end <= before:
                spans, taken = await self._database.read(partial(taken_before, until=month.end, now=now))

                # Reckoned before, for nobody writes records while it is dropped; none came since: it ended weeks ago.
                await self._database.write(partial(_drop, month=month, spans=spans, taken=taken))

    async def _steps(self, step: Step) -> None:
        """Until nothing is left to remove; between two, others write."""

        def alone(connection: Connection) -> int:
            if connection.dialect.name == "postgresql":
                mine = connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK}).scalar_one()
                if not mine:
                    return 0
            return step(connection)

        while await self._database.write(alone):
            pass


def _drop(connection: Connection, month: partitions.Month, spans: Spans, taken: Mapping[Key, int]) -> None:
    if partitions.take_month(connection, month):
        forget_before(connection, spans, taken)
        partitions.drop_month(connection, month)


def _before(now: int, days: int | None) -> int | None:
    return None if days is None else now - days * DAY


def _remove_cells(connection: Connection, before: int) -> int:
    """Of sums over usage records."""
    cell, gone = usage_cell.c, 0
    for workspace_id in connection.execute(select(usage_what.c.workspace_id).distinct()).scalars().all():
        for kind in (FULL, BY_WHAT, BY_DAY, WHAT_BY_DAY):
            whose = (cell.workspace_id == workspace_id, cell.kind == kind)
            rest = tuple_(cell.bucket, cell.who_id, cell.what_id)
            old = select(cell.bucket, cell.who_id, cell.what_id).where(*whose, cell.bucket < before // NANOS_PER_SECOND)
            some = old.order_by(cell.bucket).limit(AT_ONCE)
            gone += connection.execute(delete(usage_cell).where(*whose, rest.in_(some))).rowcount
    return gone


def _remove_logs(connection: Connection, before: int) -> int:
    """Of logs that were sent in."""
    old = select(sent_log.c.id).where(sent_log.c.at < before).limit(AT_ONCE)
    return connection.execute(delete(sent_log).where(sent_log.c.id.in_(old))).rowcount


def _remove_purges(connection: Connection, before: int) -> int:
    """Every process has heard of them."""
    connection.execute(delete(answer_purge).where(answer_purge.c.at < before))
    return 0
