"""Rotation of the master key, safe against a crash between any two steps.

    1  the new key goes into the key file, in front of the old one      both can be read from here on
    2  every sealed row is sealed anew, in one transaction
    3  the old key leaves the file

A rotation that was interrupted is finished by the next one: two keys in the file are its trace.
"""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from headgate.base.clock import Clock, SystemClock
from headgate.base.errors import Conflict
from headgate.bootstrap import database_url
from headgate.process.data_dir import DataDirLock
from headgate.process.master_key import read_master_keys, save_master_keys
from headgate.settings import Settings
from headgate.storage.database import Database, open_database
from headgate.storage.migrate import require_newest
from headgate.storage.pepper import reseal_pepper
from headgate.storage.stores import SqlStores
from headgate.tenancy.reseal import reseal
from headgate.tenancy.vault import MasterKey, Vault


@dataclass(frozen=True, slots=True)
class Rotation:
    """What was done."""

    current: MasterKey
    resealed: int
    """Secrets that were brought under it."""
    resumed: bool = False
    """An interrupted rotation was finished, and no new key was made."""
    in_variable: bool = False
    """The keys are in `HEADGATE_MASTER_KEY`, where the operator moves them."""


async def rotate(settings: Settings, clock: Clock | None = None) -> Rotation:
    """Rotate the master key. Raises `Conflict` while a server uses what it would change."""
    with _alone(settings):
        keys = read_master_keys(settings)
        database = await open_database(database_url(settings))
        try:
            await require_newest(database)
            turn = _rotate_file if settings.master_key is None else _rotate_variable
            return await turn(settings, keys, database, clock or SystemClock())
        finally:
            await database.close()


def _alone(settings: Settings) -> AbstractContextManager[Any]:
    """A running server would not learn of a new key in its file, and SQLite has one writer."""
    if settings.master_key is not None and settings.database_url is not None:
        return nullcontext()
    return DataDirLock.take(settings.data_dir)


async def _rotate_file(settings: Settings, keys: tuple[MasterKey, ...], database: Database, clock: Clock) -> Rotation:
    resumed = len(keys) > 1
    if not resumed:
        keys = (MasterKey.generate(), *keys)
        save_master_keys(settings.data_dir, keys)
    resealed = await _reseal(database, Vault(keys), clock)
    save_master_keys(settings.data_dir, keys[:1])
    return Rotation(keys[0], resealed, resumed=resumed)


async def _rotate_variable(
    settings: Settings, keys: tuple[MasterKey, ...], database: Database, clock: Clock
) -> Rotation:
    if len(keys) == 1:
        raise Conflict(
            "HEADGATE_MASTER_KEY holds one key, so there is nothing to rotate to. Put a new one in front of it, with a "
            "comma between them: `headgate keys new-master` prints one.",
            param="master_key",
        )
    return Rotation(keys[0], await _reseal(database, Vault(keys), clock), in_variable=True)


async def _reseal(database: Database, vault: Vault, clock: Clock) -> int:
    def transaction(connection: Connection) -> int:
        return reseal(SqlStores(connection), vault, clock) + reseal_pepper(connection, vault)

    return await database.write(transaction)
