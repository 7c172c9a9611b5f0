"""One process of the gateway in a simulated world, from its start to its death."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final, cast

from headgate.base.clock import Clock
from headgate.base.errors import Unavailable
from headgate.base.usage import Usage
from headgate.catalog.catalog import Catalog
from headgate.dataplane.app import DataPlane
from headgate.dataplane.attempt import Sender
from headgate.dataplane.authenticate import Directory
from headgate.dataplane.groups import Groups
from headgate.dataplane.limits import Limits
from headgate.dataplane.pipeline import Pipeline
from headgate.ledger.allowance import Allowance, Amounts, Resource, WindowKind
from headgate.ledger.hold import Denied, Held
from headgate.ledger.journal import Entry, JournalUnavailable
from headgate.ledger.ledger import LocalLedger
from headgate.ledger.record import UsageRecord
from headgate.storage.books import Books
from headgate.storage.database import Database
from headgate.storage.journal import FileJournal
from headgate.storage.usage_rows import values_of
from headgate.storage.usage_writer import UsageWriter
from headgate.upstream.client import Deadlines
from tests.sim.loop import OrderedSet

CATALOG: Final = Catalog.load()
LIMITS: Final = Limits(
    after_hangup_s=2,
    default_max_output=240,
    deadlines=Deadlines(connect_s=5, first_byte_s=10, idle_s=10, total_s=120),
)
Pause = Callable[[], Awaitable[None]]


class Rows:
    """The database: it outlives every process, is slow, and may be away."""

    def __init__(self, pause: Pause) -> None:
        self.records: dict[str, UsageRecord] = {}
        self.away = False
        self._pause = pause

    async def write(self, function: Callable[[Any], Any]) -> Any:
        """Killed in here, a process does not know whether it was written."""
        await self._pause()
        if self.away:
            raise Unavailable("the database is away")
        result = function(None)
        await self._pause()
        return result

    def insert(self, connection: object, records: Sequence[UsageRecord]) -> None:
        for record in records:
            values_of(record)  # as a row: raises for what no database would take
            self.records.setdefault(record.request_id, record)

    def past_use(self, of: Allowance, since: int) -> list[tuple[int, int]]:
        """What `storage.past_use` reads."""
        ends = of.window.kind is WindowKind.SLIDING and of.resource is not Resource.REQUESTS
        found = []
        for record in self.records.values():
            at = record.started_at + (record.ended_after if ends else 0)
            if at >= since and belongs(record, of):
                found.append((at, amounts_of(record).of(of.resource)))
        return sorted(found)


def belongs(record: UsageRecord, allowance: Allowance) -> bool:
    owners = {
        "organization": record.organization_id,
        "api_key": record.key_id,
        "tenant": record.tenant_id,
        "integration": record.integration_id,
    }
    return owners[allowance.scope.kind] == allowance.scope.id


def amounts_of(record: UsageRecord) -> Amounts:
    usage = Usage(record.usage)
    return Amounts(1, usage.input_tokens, usage.output_tokens, record.cost)


class MortalJournal(FileJournal):
    """The journal on disk. Once its process is dead, what is left of it in memory changes nothing."""

    dead = False
    appended = 0

    def append(self, entry: Entry) -> None:
        if not self.dead:
            self.appended += 1
            super().append(entry)

    def flush(self) -> None:
        if not self.dead:
            super().flush()

    def checkpoint(self, request_ids: Any) -> None:
        if not self.dead:
            super().checkpoint(request_ids)

    def die(self) -> None:
        self.dead = True
        self._file.close()


class WatchedBooks(Books):
    """Says whenever a hold was granted that does not fit."""

    def __init__(self, ledger: LocalLedger, journal: FileJournal, writer: UsageWriter, wrongs: list[str]) -> None:
        super().__init__(ledger, journal, writer)
        self._wrongs = wrongs

    def hold(self, request_id: str, allowances: Sequence[Allowance], amounts: Amounts) -> Held | Denied:
        before = self.lefts(allowances)
        result = super().hold(request_id, allowances, amounts)
        for allowance, left, now in zip(allowances, before, self.lefts(allowances), strict=True):
            if isinstance(result, Held) and now < min(left, 0):
                self._wrongs.append(f"{request_id} was let in beyond {allowance.id}: {now} is left")
            if isinstance(result, Denied) and now != left:
                self._wrongs.append(f"{request_id} was refused, and took {left - now} of {allowance.id}")
        return result


class Life:
    """`replay` is what it found at its start, `tasks` its calls."""

    def __init__(
        self,
        directory: Path,
        clock: Clock,
        random: Random,
        rows: Rows,
        policies: Directory,
        sender: Sender,
        wrongs: list[str],
    ) -> None:
        loop = asyncio.get_running_loop()
        opened, self.replay = MortalJournal.open(directory, segment_bytes=30_000, later=loop.call_soon)
        self.journal = cast(MortalJournal, opened)
        rows.insert(None, self.replay.records(clock.now()))
        self.journal.discard_replayed()
        self.ledger = LocalLedger(clock, self.journal, past_use=rows.past_use)
        self.writer = UsageWriter(
            cast(Database, rows), on_written=self.journal.checkpoint, on_failure=_unheard, insert=rows.insert
        )
        self.writer.start()
        books = WatchedBooks(self.ledger, self.journal, self.writer, wrongs)
        groups = Groups(self.ledger, _nothing_to_restore, clock)
        pipeline = Pipeline(policies, CATALOG, books, groups, sender, clock, LIMITS, chance=random.random)
        self.plane = DataPlane(pipeline.serve, clock, LIMITS, random_bytes=random.randbytes)
        self.plane._live = OrderedSet()  # type: ignore[assignment]
        self.tasks: OrderedSet[asyncio.Task[None]] = OrderedSet()
        self.death: asyncio.Future[None] = loop.create_future()

    async def kill(self) -> None:
        """Nothing it does from now on is seen by anybody: what is on disk is all that is left."""
        self.journal.die()
        self.death.set_result(None)
        for task in list(self.tasks):
            task.cancel()
        await self.writer._tasks.close()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def end(self, deadline_s: float) -> bool:
        """As SIGTERM ends it. Whether all that it knew is on disk."""
        await self.plane.drain(deadline_s)
        await self.writer.close()
        self.death.set_result(None)
        try:
            self.journal.close()
        except JournalUnavailable:
            return False
        return True


async def _nothing_to_restore(allowances: Sequence[Allowance]) -> None:
    """There are no limit policies."""


def _unheard(what: str, error: BaseException) -> None:
    """The database is away: that is what the world is for."""
    if not isinstance(error, Unavailable | TimeoutError | JournalUnavailable):
        raise error
