"""A data directory, made of a backup: for the place where the server starts again."""

import os
import shutil
from pathlib import Path

from headgate.base.errors import Conflict, InvalidRequest
from headgate.process.backup import Backup, read_backup, sync
from headgate.process.data_dir import LOCK_FILE, BadDataDir, DataDirLock
from headgate.process.master_key import MASTER_KEY_FILE, read_master_keys
from headgate.settings import Settings


def restore(settings: Settings, directory: Path) -> Backup:
    """Make a data directory of a backup. It may hold a master key, and nothing else.

    Raises `BadBackup`, `Conflict` where something is in the data directory or a server runs on it,
    `InvalidRequest` for a master key that does not open what is in the backup, and `BadDataDir` where the directory
    cannot be written; there is no database in it then.
    """
    backup = read_backup(directory)
    place = settings.data_dir
    with DataDirLock.take(place):
        if found := sorted({each.name for each in place.iterdir()} - {LOCK_FILE, MASTER_KEY_FILE}):
            raise Conflict(
                f"data_dir: there is `{found[0]}` in {place}. Restore into a directory that is empty, or has a master "
                "key only.",
                param="data_dir",
            )
        _check_key(settings, backup)
        try:
            for file in backup.files:  # the database is the last one: without it there is nothing to start on
                _copy(directory / file.name, place / file.name)
            sync(place, [place / file.name for file in backup.files])
        except OSError as error:
            raise BadDataDir(
                f"data_dir: {place} could not be written: {error}. It was not restored: make room, empty the "
                "directory except for the master key, and restore again.",
                param="data_dir",
            ) from None
    return backup


def has_key(settings: Settings) -> bool:
    """Whether the data directory or the settings have a master key."""
    return settings.master_key is not None or (settings.data_dir / MASTER_KEY_FILE).exists()


def _check_key(settings: Settings, backup: Backup) -> None:
    if backup.master_key is None or not has_key(settings):
        return
    if bytes.fromhex(backup.master_key) not in [key.id for key in read_master_keys(settings)]:
        raise InvalidRequest(
            f"The backup is under master key {backup.master_key}, and another one is here. Nothing was restored.",
            param="master_key",
        )


def _copy(source: Path, target: Path) -> None:
    """As a whole or not at all: a start would take half a database for its own, and found a new one on an empty one."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    part.touch(mode=0o600)
    shutil.copyfile(source, part)
    sync(target.parent, [part])
    os.replace(part, target)
