"""The database: open, at the schema of this version, and kept from growing without end where the settings say so."""

from contextlib import AsyncExitStack

from headgate.base.clock import Clock
from headgate.bootstrap.places import database_url
from headgate.bootstrap.report import report
from headgate.settings import Settings
from headgate.storage import migrate
from headgate.storage.database import Database, open_database
from headgate.storage.retention import Keep, Retention


async def open_storage(settings: Settings, clock: Clock, closing: AsyncExitStack) -> Database:
    """Raises `Unavailable`, or `Conflict` where a newer version has been at it."""
    database = await open_database(database_url(settings), pooler=settings.database_pooler)
    closing.push_async_callback(database.close)
    await migrate.upgrade(database)
    keep = Keep(
        usage=settings.usage_retention_days,
        rollups=settings.rollup_retention_days,
        logs=settings.log_retention_days,
        responses=settings.response_retention_days,
    )
    retention = Retention(database, clock, keep, report)
    closing.push_async_callback(retention.close)
    retention.start()
    return database
