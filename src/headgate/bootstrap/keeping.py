"""What lives at providers and belongs to callers: where it is written down, and what batches of it have cost."""

from contextlib import AsyncExitStack

from headgate.base.clock import Clock
from headgate.base.tasks import Tasks
from headgate.bootstrap.books import BookKeeping
from headgate.bootstrap.report import report
from headgate.bootstrap.serving import limits_of
from headgate.catalog.catalog import Catalog
from headgate.dataplane.batch_watch import BatchWatch
from headgate.dataplane.kept import Kept
from headgate.settings import Settings
from headgate.storage.database import Database
from headgate.storage.kept_objects import SqlKeptObjects
from headgate.storage.open_batches import SqlOpenBatches
from headgate.tenancy.directory import Directory
from headgate.upstream.client import Client


def kept_objects(
    settings: Settings,
    database: Database,
    books: BookKeeping,
    directory: Directory,
    catalog: Catalog,
    client: Client,
    clock: Clock,
    closing: AsyncExitStack,
) -> Kept:
    """Batches are asked for from now on. Closed, it has written down what it noted."""
    batches = BatchWatch(
        SqlOpenBatches(database),
        books.corrections,
        directory.provider,
        catalog,
        client,
        clock,
        limits_of(settings),
        report,
    )
    closing.push_async_callback(batches.close)
    batches.start()
    kept = Kept(SqlKeptObjects(database), clock, Tasks(report), batches)
    closing.push_async_callback(kept.close)
    return kept
