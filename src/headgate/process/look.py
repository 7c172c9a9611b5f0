"""What is configured and what is there, for commands that only look: nothing is created, nothing is changed."""

import fcntl
import os
import platform
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from headgate.base.errors import NotFound
from headgate.bootstrap import DATABASE_FILE, database_url
from headgate.bootstrap.scale import check_sharing
from headgate.catalog.catalog import Catalog
from headgate.ledger.record import UsageRecord
from headgate.process.data_dir import LOCK_FILE, BadDataDir, DataDirLock
from headgate.process.first_start import preset_key
from headgate.process.master_key import MASTER_KEY_FILE, read_master_keys
from headgate.settings import Settings
from headgate.storage import migrate as migrations
from headgate.storage import usage_queries
from headgate.storage.database import Database, open_database
from headgate.storage.pepper import sealed_under
from headgate.tenancy.vault import CannotOpen, MasterKey


@dataclass(slots=True)
class Found:
    """Facts as (label, sentence), and what an operator should read."""

    facts: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


async def look(settings: Settings) -> Found:
    """Everything that can be wrong before a start. Raises the `HeadgateError` that a start would raise."""
    preset_key(settings)
    check_sharing(settings)
    found = Found()
    keys: tuple[MasterKey, ...] = ()
    found.facts.append(("python", platform.python_version()))
    found.facts.append(("settings", repr(settings)))
    found.facts.append(("data_dir", _data_dir(settings)))
    if settings.master_key is not None or (settings.data_dir / MASTER_KEY_FILE).exists():
        keys = read_master_keys(settings)
        found.facts.append(("master key", keys[0].id.hex()))
        if len(keys) > 1 and settings.master_key is None:
            found.warnings.append("A rotation of the master key was interrupted. Run: headgate keys rotate-master")
    else:
        found.facts.append(("master key", "none yet: the first start makes one"))
    await _look_at_database(settings, keys, found)
    catalog = Catalog.load()
    models = sum(len(catalog.models(provider.id)) for provider in catalog.providers())
    found.facts.append(("catalog", f"{len(catalog.providers())} providers, {models} models, as of {catalog.as_of}"))
    return found


def _data_dir(settings: Settings) -> str:
    if not settings.data_dir.exists():
        return f"{settings.data_dir}: not there yet, the first start makes it"
    if not settings.data_dir.is_dir():
        raise BadDataDir(
            f"data_dir: `{settings.data_dir}` is no directory. Name another with --data-dir.", param="data_dir"
        )
    owner = _owner(settings)
    return f"{settings.data_dir}: {f'in use by process {owner}' if owner else 'not in use'}"


def _owner(settings: Settings) -> str | None:
    try:
        descriptor = os.open(settings.data_dir / LOCK_FILE, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
    finally:
        os.close(descriptor)
    return None


async def _look_at_database(settings: Settings, keys: tuple[MasterKey, ...], found: Found) -> None:
    if not database_exists(settings):
        found.facts.append(("database", "none yet: the first start makes it"))
        return
    async with opened(settings) as database:
        facts, revision = database.facts(), await migrations.current(database)
        sealed = None if revision is None else await database.read(sealed_under)
    if sealed is not None and sealed not in [key.id for key in keys]:
        raise CannotOpen(
            f"The database is under master key {sealed.hex()}, which is not here. Restore the file "
            f"{settings.data_dir / MASTER_KEY_FILE}, or put that key into HEADGATE_MASTER_KEY."
        )
    found.warnings += facts.warnings
    found.facts.append(("database", f"{facts.engine} {facts.version}, schema {revision or 'none'}"))
    if revision != migrations.newest():
        found.warnings.append(
            f"The schema is not {migrations.newest()}: the next start or `headgate migrate` changes that."
        )


def database_exists(settings: Settings) -> bool:
    """Whether there is anything to look at."""
    return settings.database_url is not None or (settings.data_dir / DATABASE_FILE).exists()


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    """For reading: the server that may run beside keeps its own writer and checkpoints."""
    database = await open_database(database_url(settings), checkpointer=False)
    try:
        yield database
    finally:
        await database.close()


async def usage_record(settings: Settings, request_id: str) -> UsageRecord:
    """The record of one call. Raises `NotFound`."""
    if not database_exists(settings):
        raise NotFound(f"There is no database in {settings.data_dir}. Name the server's directory with --data-dir.")
    async with opened(settings) as database:
        await migrations.require_newest(database)
        record = await database.read(lambda connection: usage_queries.get(connection, request_id))
    if record is None:
        raise NotFound(
            f"There is no usage record of `{request_id}` in {settings.data_dir}. A call under way has none yet, and a "
            "refused call never has one."
        )
    return record


async def migrate(settings: Settings) -> tuple[str | None, str]:
    """Bring the database to the newest schema. Answers the revisions before and after."""
    with DataDirLock.take(settings.data_dir):
        database = await open_database(database_url(settings))
        try:
            before = await migrations.current(database)
            return before, await migrations.upgrade(database)
        finally:
            await database.close()
