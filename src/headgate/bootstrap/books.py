"""The books: ledger, journal and usage writer, with what a crash left in them settled before the first call."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from headgate.base.clock import Clock
from headgate.bootstrap.places import JOURNAL_DIRECTORY
from headgate.bootstrap.report import report
from headgate.bootstrap.scale import MARGIN_S
from headgate.ledger.allowance import Allowance
from headgate.ledger.borrowed import BorrowedShares
from headgate.ledger.ledger import LocalLedger
from headgate.ledger.recovery import Replay
from headgate.settings import Settings
from headgate.storage.alert_rows import AlertedRows
from headgate.storage.books import Books
from headgate.storage.corrections import SqlCorrections
from headgate.storage.database import Database
from headgate.storage.journal import FileJournal
from headgate.storage.refusals import Refusals
from headgate.storage.restoring import Restoring
from headgate.storage.usage_writer import BATCH, UsageWriter

if TYPE_CHECKING:  # it brings the client of Redis, which is not there where nothing is shared
    from headgate.bootstrap.sharing import Sharing

Restore = Callable[[Sequence[Allowance]], Awaitable[None]]

log = structlog.get_logger("headgate")


@dataclass(frozen=True, slots=True)
class BookKeeping:
    """The books, what files them, and what looks into the past."""

    books: Books
    usage: UsageWriter
    restoring: Restoring
    journal: FileJournal
    corrections: SqlCorrections
    sharing: "Sharing | None"
    """None: this process has whole allowances."""

    @property
    def restore(self) -> Restore:
        """Once it returns, the ledger knows the allowances it was given."""
        return self.restoring if self.sharing is None else self.sharing.knowing

    @property
    def refresh(self) -> Restore | None:
        """Once it returns, the ledger's figures of the allowances it was given are those of all processes."""
        return None if self.sharing is None else self.sharing.borrowing.refresh

    def trouble(self) -> str | None:
        """Why nothing can be written now. None: it can."""
        if self.journal.trouble() is not None:
            return "the journal cannot be written"
        if self.usage.full:
            return "the database is behind"
        trouble = None if self.sharing is None else self.sharing.borrowing.trouble()
        return "the database does not take a usage record" if trouble and self.usage.set_aside else trouble


async def open_books(
    settings: Settings, database: Database, refusals: Refusals, clock: Clock, closing: AsyncExitStack
) -> BookKeeping:
    """Settles what the journal holds; from then on the books are right."""
    later = asyncio.get_running_loop().call_soon
    journal, replay = FileJournal.open(
        settings.data_dir / JOURNAL_DIRECTORY, sync=settings.journal_sync == "group", later=later
    )
    closing.callback(journal.close)
    rows = AlertedRows(clock)
    writer = UsageWriter(database, on_written=journal.checkpoint, on_failure=report, insert=rows.insert)
    await _settle_what_was_left(journal, replay, writer, clock)
    shares = None if settings.redis_url is None else BorrowedShares()
    ledger = LocalLedger(clock, journal, shares=shares)
    restoring = Restoring(database, ledger, writer, clock, settings.total_timeout_s + MARGIN_S)
    sharing = None
    if shares is not None:
        from headgate.bootstrap.sharing import sharing_of

        sharing = sharing_of(settings, database, ledger, shares, restoring, clock)
        closing.push_async_callback(_leave, sharing, writer)
    closing.push_async_callback(writer.close)
    writer.start()
    if sharing is not None:
        closing.push_async_callback(sharing.give_back)
        if not writer.set_aside:  # else what the one before it on this disk had borrowed must stay charged
            await sharing.start()
    books = Books(ledger, journal, writer, refusals.note, None if sharing is None else sharing.lender)
    shared = None if sharing is None else sharing.authority
    corrections = SqlCorrections(database, writer, rows, ledger, clock, shared, report)
    return BookKeeping(books, writer, restoring, journal, corrections, sharing)


async def _leave(sharing: "Sharing", writer: UsageWriter) -> None:
    await sharing.leave(written=not writer.waiting and not writer.set_aside)


async def _settle_what_was_left(journal: FileJournal, replay: Replay, writer: UsageWriter, clock: Clock) -> None:
    """Every call that a provider may have billed gets its record, before the first new call is taken. What the database
    does not take stays in the journal."""
    records = replay.records(clock.now())
    for start in range(0, len(records), BATCH):
        await writer.write(records[start : start + BATCH])
    for record in writer.set_aside:
        journal.append(replay.settlement(record))
    journal.flush()
    journal.discard_replayed()
    if replay.entries:
        log.info(
            "journal replayed",
            entries=replay.entries,
            settled=len(replay.settled),
            unfinished=len(replay.unfinished),
            torn_bytes=replay.torn,
        )
