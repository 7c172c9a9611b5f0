"""Usage records on their way to the database: in batches, off the path of the calls, and none lost or doubled."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy import Connection

from headgate.base.errors import Unavailable
from headgate.base.tasks import Tasks
from headgate.ledger.record import UsageRecord
from headgate.storage import usage_rows
from headgate.storage.database import Database

BATCH: Final = 500
LINGER_S: Final = 0.05
"""How long the first record of a batch waits for others."""
MOST_WAITING: Final = 100_000
FIRST_BACKOFF_S: Final = 0.1
LONGEST_BACKOFF_S: Final = 5.0
Written = Callable[[Sequence[str]], None]
"""Gets the request ids of records that are in the database now: the journal need not keep them."""
Insert = Callable[[Connection, Sequence[UsageRecord]], None]
"""Writes records within a transaction, and what follows from them; those that are there already change nothing."""
Failed = Callable[[str, BaseException], None]
"""Gets a sentence and the error: a write that will be tried again, or a record that the database does not take."""


class UsageWriter:
    """Writing is idempotent by request id: a record that comes twice, from the journal for example, is one row.

    While the database is away records wait in memory, and the journal has them on disk. A record that the database
    refuses for itself is reported and set aside; the journal, which is not told that it was written, keeps it.
    """

    def __init__(
        self,
        database: Database,
        *,
        on_written: Written,
        on_failure: Failed,
        most_waiting: int = MOST_WAITING,
        insert: Insert = usage_rows.insert,
    ) -> None:
        self._database = database
        self._insert = insert
        self._on_written = on_written
        self._on_failure = on_failure
        self._most_waiting = most_waiting
        self._waiting: deque[UsageRecord] = deque()
        self.set_aside: list[UsageRecord] = []
        """What the database did not take: only the journal has it."""
        self._added = 0
        self._done = 0
        self._flushes: list[tuple[int, asyncio.Future[None]]] = []
        self._writing = asyncio.Lock()
        self._some = asyncio.Event()
        self._hurry = asyncio.Event()
        self._tasks = Tasks(lambda name, error: on_failure(f"{name} ended", error))

    def start(self) -> None:
        """Begin to write. Records may be added before."""
        self._tasks.start(self._run(), "usage writer")

    def add(self, record: UsageRecord) -> None:
        """Takes any record, at once: what a provider billed is never refused. Admission asks `full` beforehand."""
        self._waiting.append(record)
        self._added += 1
        self._some.set()

    @property
    def waiting(self) -> int:
        """Records in memory that are not in the database yet."""
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """Too many wait: no new calls should be admitted until the database has caught up."""
        return len(self._waiting) >= self._most_waiting

    async def write(self, batch: Sequence[UsageRecord]) -> None:
        """At once: these are in the database then, or set aside. Raises `Unavailable`."""
        async with self._writing:
            await self._write(batch)

    async def flush(self) -> None:
        """Returns when all that was added before is in the database, or set aside. Waits while the database is away."""
        if self._done >= self._added:
            return
        flushed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._flushes.append((self._added, flushed))
        self._hurry.set()
        await flushed

    @asynccontextmanager
    async def paused(self) -> AsyncIterator[Sequence[UsageRecord]]:
        """Nothing is written meanwhile: the records given are those that were settled and are not in the database."""
        async with self._writing:
            yield [*self.set_aside, *self._waiting]

    async def close(self, timeout_s: float = 10.0) -> int:
        """Flush, for so long at most, and stop. Returns how many records are left, which the journal has."""
        try:
            await asyncio.wait_for(self.flush(), timeout_s)
        except TimeoutError:
            self._on_failure(
                f"{len(self._waiting)} usage records stay in the journal until the next start", TimeoutError()
            )
        await self._tasks.close()
        return len(self._waiting)

    async def _run(self) -> None:
        backoff = FIRST_BACKOFF_S
        while True:
            await self._some.wait()
            await self._pause(LINGER_S if len(self._waiting) < BATCH else 0)
            try:
                async with self._writing:
                    batch = [self._waiting[index] for index in range(min(BATCH, len(self._waiting)))]
                    await self._write(batch)
                    self._finish(len(batch))
            except Unavailable as error:
                self._on_failure(f"{len(self._waiting)} usage records wait for the database", error)
                self._hurry.clear()
                await self._pause(backoff)
                backoff = min(2 * backoff, LONGEST_BACKOFF_S)
            else:
                backoff = FIRST_BACKOFF_S

    async def _pause(self, seconds: float) -> None:
        """Cut short by a flush."""
        try:
            await asyncio.wait_for(self._hurry.wait(), seconds)
        except TimeoutError:
            return

    async def _write(self, batch: Sequence[UsageRecord]) -> None:
        try:
            await self._database.write(lambda connection: self._insert(connection, batch))
        except Unavailable:
            raise
        except Exception as error:
            if len(batch) > 1:
                for record in batch:
                    await self._write([record])
                return
            self._on_failure(f"the database does not take the usage record {batch[0].request_id}", error)
            self.set_aside += batch
            return
        self._on_written([record.request_id for record in batch])

    def _finish(self, count: int) -> None:
        for _ in range(count):
            self._waiting.popleft()
        self._done += count
        reached = [flushed for target, flushed in self._flushes if target <= self._done]
        self._flushes = [each for each in self._flushes if each[0] > self._done]
        for flushed in reached:
            if not flushed.done():
                flushed.set_result(None)
        if not self._flushes:
            self._hurry.clear()
        if not self._waiting:
            self._some.clear()
