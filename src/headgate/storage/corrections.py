"""`tenancy.open_batch.Corrections`: in the database, and then in the ledger of this process."""

from functools import partial

from msgspec.structs import replace
from sqlalchemy import Connection, update

from headgate.base.clock import Clock
from headgate.base.usage import Usage
from headgate.ledger.allowance import Amounts
from headgate.ledger.correction import Correction
from headgate.ledger.ledger import LocalLedger
from headgate.ledger.record import UsageRecord
from headgate.storage import usage_queries, usage_rows
from headgate.storage.alert_rows import AlertedRows
from headgate.storage.batch_tables import CORRECTED, GIVEN_UP
from headgate.storage.batch_tables import batch as table
from headgate.storage.database import Database
from headgate.storage.open_batches import is_open
from headgate.storage.usage_queries import UsageFilter
from headgate.storage.usage_writer import UsageWriter
from headgate.tenancy.open_batch import OpenBatch

NOT_READ = "batch_not_read"
"""The flag of a record of a batch of which it never became known what it cost."""


class SqlCorrections:
    """One per process. `rows` is what its `writer` writes with."""

    def __init__(
        self, database: Database, writer: UsageWriter, rows: AlertedRows, ledger: LocalLedger, clock: Clock
    ) -> None:
        self._database = database
        self._writer = writer
        self._rows = rows
        self._ledger = ledger
        self._clock = clock

    async def correct(self, batch: OpenBatch, correction: Correction) -> bool:
        # Nothing is written and nothing restored meanwhile: a counter has the record as it was, and is corrected, or
        # is made later from the record as it is.
        async with self._writer.paused():
            found = await self._database.write(partial(self._correct, batch=batch, correction=correction))
            if found is None:
                return False
            before, after, budgets = found
            ids = {*batch.allowances, *budgets}
            self._ledger.correct(ids, before.started_at, _amounts(before), _amounts(after))
            return True

    async def give_up(self, batch: OpenBatch) -> None:
        await self._database.write(partial(self._give_up, batch=batch))

    def _correct(
        self, connection: Connection, batch: OpenBatch, correction: Correction
    ) -> tuple[UsageRecord, UsageRecord, list[str]] | None:
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
