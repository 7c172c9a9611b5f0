"""The books of a data directory, checked: beside a running server or without one, and nothing is changed."""

from functools import partial

from headgate.base.clock import SystemClock
from headgate.base.errors import NotFound
from headgate.process.journals import read_journals
from headgate.process.look import database_exists, opened
from headgate.settings import Settings
from headgate.storage import migrate
from headgate.storage.verification import Findings
from headgate.storage.verification import verify as add_up


async def verify(settings: Settings, found: Findings | None = None) -> Findings:
    """In `found` can be seen how far it is.

    Raises `NotFound` where there are no books, `BooksDamaged`, and `Conflict` for another version's schema.
    """
    if not database_exists(settings):
        raise NotFound(f"There is no database in {settings.data_dir}: nothing to verify.")
    replay = read_journals(settings.data_dir)
    async with opened(settings) as database:
        await migrate.require_newest(database)
        return await database.read(partial(add_up, replay=replay, now=SystemClock.now(), found=found))
