"""An embedded installation moves to PostgreSQL: everything or nothing, in one transaction of the target.

    1  nobody else uses the data directory, from here to the end
    2  the target gets the schema, and must be empty
    3  every row is copied, and then compared with the one it came from
    4  what the journal knows more is settled, as a start would do it

The old database and the journal stay as they are. A start on the same data directory may read that journal once more:
every record is known by its request id, so it changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from headgate.base.clock import Clock, SystemClock
from headgate.base.errors import NotFound
from headgate.bootstrap import DATABASE_FILE
from headgate.ledger.recovery import Replay
from headgate.process.data_dir import DataDirLock
from headgate.process.journals import BooksDamaged, read_journals
from headgate.settings import BadSetting, Settings
from headgate.storage import copying, migrate, partitions
from headgate.storage.alert_rows import AlertedRows
from headgate.storage.copying import Copied, Told
from headgate.storage.database import open_database
from headgate.storage.sqlite import snapshot
from headgate.storage.usage_writer import BATCH


@dataclass(frozen=True, slots=True)
class Moved:
    """What is in PostgreSQL now: the tables as they were, and the calls that only the journal knew of or finished."""

    tables: Sequence[Copied]
    from_journal: int
    recovered: int
    """Of those, how many had not ended: they are charged at all that they held."""


async def move(settings: Settings, told: Told, clock: Clock | None = None) -> Moved:
    """Copy the SQLite database of the data directory into the one that `database_url` names.

    `told` gets how far it is. Raises `Conflict` while a server runs, or where the target is not empty or a row cannot
    be there; `NotFound` where there is nothing to move, `BooksDamaged` for a journal that cannot be read.
    """
    url = _target(settings)
    if not (settings.data_dir / DATABASE_FILE).exists():
        raise NotFound(f"There is no database in {settings.data_dir}: nothing to move.")
    with DataDirLock.take(settings.data_dir), snapshot(settings.data_dir / DATABASE_FILE) as source:
        migrate.require_newest_within(source)
        replay = _journal(settings)
        target = await open_database(url)
        try:
            return await target.write(
                partial(_move, source=source, replay=replay, told=told, clock=clock or SystemClock())
            )
        finally:
            await target.close()


def _target(settings: Settings) -> str:
    url = settings.database_url
    if url is None or make_url(url).get_backend_name() not in ("postgresql", "postgres"):
        raise BadSetting(
            "database_url: name the PostgreSQL database to move to, in HEADGATE_DATABASE_URL or headgate.toml: "
            "postgresql://user@host/name.",
            param="database_url",
        )
    return url


def _journal(settings: Settings) -> Replay:
    replay = read_journals(settings.data_dir)
    if headless := replay.headless():
        raise BooksDamaged(f"The journal lacks the hold of {headless[0]} and {len(headless) - 1} others.")
    return replay


def _move(target: Connection, source: Connection, replay: Replay, told: Told, clock: Clock) -> Moved:
    migrate.upgrade_within(target)
    copying.require_empty(target)
    now = clock.now()
    partitions.make_months(target, now)
    copying.copy(source, target, told)
    tables = copying.compare(source, target)
    records = replay.records(now)
    rows = AlertedRows(clock)
    for start in range(0, len(records), BATCH):
        rows.insert(target, records[start : start + BATCH])
    target.execute(text("ANALYZE"))
    return Moved(tables, len(records), len(records) - len(replay.settled))
