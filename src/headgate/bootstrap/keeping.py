"""What lives at providers and belongs to callers: where it is written down."""

from contextlib import AsyncExitStack

from headgate.base.clock import Clock
from headgate.base.tasks import Tasks
from headgate.bootstrap.report import report
from headgate.dataplane.kept import Kept
from headgate.storage.database import Database
from headgate.storage.kept_objects import SqlKeptObjects


def kept_objects(database: Database, clock: Clock, closing: AsyncExitStack) -> Kept:
    """Closed, it has written down what it noted."""
    kept = Kept(SqlKeptObjects(database), clock, Tasks(report))
    closing.push_async_callback(kept.close)
    return kept
