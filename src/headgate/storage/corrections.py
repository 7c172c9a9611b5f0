"""`tenancy.open_batch.Corrections`: in the database, and then in what decides on calls: the ledger of this process, and
the authority where processes share their allowances."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

from msgspec.structs import replace
from sqlalchemy import Connection, update

from headgate.base.clock import Clock
from headgate.base.errors import Unavailable
from headgate.base.usage import Usage
from headgate.ledger.allowance import Amounts
from headgate.ledger.correction import Correction
from headgate.ledger.ledger import LocalLedger
from headgate.ledger.record import UsageRecord
from headgate.storage import usage_queries, usage_rows
from headgate.storage.alert_rows import AlertedRows
from headgate.storage.allowance_use import Moved
from headgate.storage.batch_tables import CORRECTED, GIVEN_UP
from headgate.storage.batch_tables import batch as table
from headgate.storage.database import Database
from headgate.storage.kept_sums import Key
from headgate.storage.open_batches import is_open
from headgate.storage.usage_queries import UsageFilter
from headgate.storage.usage_writer import UsageWriter
from headgate.tenancy.open_batch import OpenBatch

NOT_READ = "batch_not_read"
"""The flag of a record of a batch of which it never became known what it cost."""


class Shared(Protocol):
    """What this needs of `storage.shares.authority.Authority`. Raises `Unavailable`."""

    async def since(self, periods: Sequence[Key]) -> list[str]: ...
    async def correct(self, name: str, found: Sequence[tuple[Key, str, int]]) -> None: ...


class SqlCorrections:
    """One per process. `rows` is what its `writer` writes with; `shared` is None where nothing is."""

    def __init__(
        self,
        database: Database,
        writer: UsageWriter,
        rows: AlertedRows,
        ledger: LocalLedger,
        clock: Clock,
        shared: Shared | None,
        report: Callable[[str, BaseException], None],
    ) -> None:
        self._database = database
        self._writer = writer
        self._rows = rows
        self._ledger = ledger
        self._clock = clock
        self._shared = shared
        self._report = report

    async def correct(self, batch: OpenBatch, correction: Correction) -> bool:
        # Nothing is written and nothing restored meanwhile: a counter has the record as it was, and is corrected, or
        # is made later from the record as it is.
        async with self._writer.paused():
            since = {} if self._shared is None else await self._since(self._shared, batch)
            found = await self._database.write(partial(self._correct, batch=batch, correction=correction))
            if found is None:
                return False
            before, after, moved = found
            ids = {*batch.allowances, *(each.key[0] for each in moved)}
            self._ledger.correct(ids, before.started_at, _amounts(before), _amounts(after))
        if self._shared is not None:
            await self._tell(self._shared, batch, [(each.key, since.get(each.key, ""), each.more) for each in moved])
        return True

    async def _since(self, shared: Shared, batch: OpenBatch) -> Mapping[Key, str]:
        """Which readings of the past the authority counts, before the record is another: they do not know of it."""

        def periods(connection: Connection) -> list[Key]:
            record = _record_of(connection, batch)
            return [] if record is None else self._rows.counting(connection, record)

        found = await self._database.write(periods)  # the budgets are the writer's
        try:
            return dict(zip(found, await shared.since(found), strict=True))
        except Unavailable as error:
            self._report("what a batch gives back", error)
            return {}

    async def _tell(self, shared: Shared, batch: OpenBatch, found: Sequence[tuple[Key, str, int]]) -> None:
        """Where it cannot be told, what the batch held stays used until the authority reads the records again."""
        try:
            await shared.correct(batch.request_id, [each for each in found if each[1] and each[2]])
        except Unavailable as error:
            self._report("what a batch gives back", error)

    async def give_up(self, batch: OpenBatch) -> None:
        await self._database.write(partial(self._give_up, batch=batch))

    def _correct(
        self, connection: Connection, batch: OpenBatch, correction: Correction
    ) -> tuple[UsageRecord, UsageRecord, list[Moved]] | None:
        before = _record_of(connection, batch)
        if before is None or not self._end(connection, batch, CORRECTED):
            return None
        after = correction.of(before)
        return before, after, self._rows.correct(connection, before, after)

    def _give_up(self, connection: Connection, batch: OpenBatch) -> None:
        record = _record_of(connection, batch)
        if self._end(connection, batch, GIVEN_UP) and record is not None:
            usage_rows.update(connection, replace(record, usage_flags=(*record.usage_flags, NOT_READ)))

    def _end(self, connection: Connection, batch: OpenBatch, status: str) -> bool:
        """False: somebody else has."""
        statement = update(table).where(is_open(batch)).values(status=status, ended_at=self._clock.now())
        return connection.execute(statement).rowcount == 1


def _amounts(record: UsageRecord) -> Amounts:
    usage = Usage(record.usage)
    return Amounts(0, usage.input_tokens, usage.output_tokens, record.cost)


def _record_of(connection: Connection, batch: OpenBatch) -> UsageRecord | None:
    at = UsageFilter(since=batch.started_at, until=batch.started_at + 1)
    return usage_queries.get(connection, batch.request_id, at)
