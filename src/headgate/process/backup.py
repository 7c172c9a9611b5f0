"""A backup of a data directory, taken beside the running server.

    1  the journals     every call that was settled until now is in them, or in the database
    2  the database     one snapshot of it, through SQLite's own online backup; of PostgreSQL none, it has its own tools
    3  the manifest     what there is, with checksums; without it a backup is not whole

The master key is never in it: whoever had both could open every provider's credential.
"""

import hashlib
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec

from headgate.base.clock import Clock, SystemClock
from headgate.base.errors import Conflict, HeadgateError, NotFound
from headgate.bootstrap import DATABASE_FILE, JOURNAL_DIRECTORY
from headgate.process.data_dir import write_durably
from headgate.process.journals import journals_in
from headgate.settings import Settings
from headgate.storage.journal_copy import copy_journal
from headgate.storage.pepper import sealed_under
from headgate.storage.sqlite import connect_untouched, snapshot
from headgate.tenancy.moments import to_iso

MANIFEST: Final = "manifest.json"
_FORMAT: Final = 1


class BadBackup(HeadgateError):
    """What should be a backup is none, or not what was written."""

    status, type, code = 500, "backup_error", "bad_backup"


class BackedUpFile(msgspec.Struct, frozen=True):
    """`name` is the path within the backup and within the data directory."""

    name: str
    bytes: int
    sha256: str


class Backup(msgspec.Struct, frozen=True):
    """What the manifest says. `master_key` is the id of the one that everything is encrypted under; None where the
    database is not in the backup, or was never used."""

    format: int
    headgate: str
    made_at: str
    master_key: str | None
    files: tuple[BackedUpFile, ...]

    @property
    def has_database(self) -> bool:
        return any(file.name == DATABASE_FILE for file in self.files)


def back_up(settings: Settings, target: Path, clock: Clock | None = None) -> Backup:
    """Copy journals and database into `target`, which is empty or not there yet. The server may go on taking calls.

    Raises `NotFound` where there is nothing to back up, `Conflict` where `target` holds something, and `BadBackup`
    where it cannot be written, on a full disk for example.
    """
    try:
        return _back_up(settings, target, clock or SystemClock())
    except (OSError, sqlite3.OperationalError) as error:
        raise BadBackup(
            f"{target} could not be written: {error}. It is no backup: make room, and name an empty directory."
        ) from None


def _back_up(settings: Settings, target: Path, clock: Clock) -> Backup:
    source, embedded = settings.data_dir, settings.database_url is None
    if not (source / (DATABASE_FILE if embedded else JOURNAL_DIRECTORY)).exists():
        raise NotFound(f"There is nothing in {source} to back up.")
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(target.iterdir()):
        raise Conflict(f"{target} is not empty. Name another directory.", param="directory")
    paths: list[Path] = []
    for journal in journals_in(source):
        copied_to = target / journal.relative_to(source)
        copied_to.mkdir(mode=0o700, parents=True)
        paths += copy_journal(journal, copied_to)
    key = None
    if embedded:
        paths.append(_copy_database(source / DATABASE_FILE, target / DATABASE_FILE))
        with snapshot(target / DATABASE_FILE) as copied:
            key = sealed_under(copied)
    sync(target, paths)
    files = tuple(BackedUpFile(str(path.relative_to(target)), path.stat().st_size, _digest(path)) for path in paths)
    made_at = to_iso(clock.now())
    backup = Backup(_FORMAT, version("headgate"), made_at, key.hex() if key else None, files)
    write_durably(target / MANIFEST, msgspec.json.format(msgspec.json.encode(backup)) + b"\n")
    return backup


def read_backup(directory: Path) -> Backup:
    """Its manifest, where every file is what was written. Raises `BadBackup`."""
    try:
        backup = msgspec.json.decode((directory / MANIFEST).read_bytes(), type=Backup)
    except FileNotFoundError:
        raise BadBackup(f"{directory} is no backup, or one that was not finished: it has no {MANIFEST}.") from None
    except msgspec.DecodeError as error:
        raise BadBackup(f"{directory / MANIFEST} cannot be read: {error}.") from None
    if backup.format != _FORMAT:
        raise BadBackup(
            f"{directory} was made by Headgate {backup.headgate}, in a format that this version cannot read."
        )
    for file in backup.files:
        path = directory / file.name
        if not path.is_file() or _digest(path) != file.sha256:
            raise BadBackup(f"{path} is not what was backed up: it is damaged, or missing.")
    return backup


def _copy_database(source: Path, target: Path) -> Path:
    target.touch(mode=0o600)
    with closing(connect_untouched(source)) as database, closing(sqlite3.connect(target)) as copy:
        database.backup(copy)
    return target


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(directory: Path, files: Sequence[Path]) -> None:
    """Once it returns, the disk has these files of the directory, and their names."""
    for path in (*files, *{file.parent for file in files}, directory):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
