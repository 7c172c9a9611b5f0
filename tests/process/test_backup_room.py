"""`headgate backup` and `headgate restore` on a full disk: a sentence, and nothing that a start would use."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from headgate.bootstrap import DATABASE_FILE, database_url
from headgate.process.backup import MANIFEST, BadBackup, back_up
from headgate.process.data_dir import BadDataDir
from headgate.process.restore import restore
from headgate.settings import Settings
from headgate.storage.database import open_database
from headgate.storage.migrate import upgrade


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The system refuses to write more into any file, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
async def settings(tmp_path: Path) -> Settings:
    """A data directory with a database."""
    found = Settings(data_dir=tmp_path / "data")
    found.data_dir.mkdir()
    database = await open_database(database_url(found))
    try:
        await upgrade(database)
    finally:
        await database.close()
    return found


def test_a_backup_for_which_there_is_no_room_is_none_and_says_so(settings: Settings, tmp_path: Path) -> None:
    """It has no manifest, so nobody takes it for a backup."""
    with files_of_at_most(8192), pytest.raises(BadBackup, match=r"could not be written: .* name an empty directory"):
        back_up(settings, tmp_path / "backup")
    assert not (tmp_path / "backup" / MANIFEST).exists()


def test_a_place_that_cannot_be_made_is_named(settings: Settings, tmp_path: Path) -> None:
    """A directory below a file, for example."""
    (tmp_path / "file").touch()
    with pytest.raises(BadBackup, match="file/backup could not be written"):
        back_up(settings, tmp_path / "file" / "backup")


def test_a_restore_for_which_there_is_no_room_leaves_no_database(settings: Settings, tmp_path: Path) -> None:
    """A start would take half a database for its own, and found a new organization on an empty one."""
    back_up(settings, tmp_path / "backup")
    place = tmp_path / "restored"
    with files_of_at_most(8192), pytest.raises(BadDataDir, match=r"could not be written: .* restore again"):
        restore(Settings(data_dir=place), tmp_path / "backup")
    assert not (place / DATABASE_FILE).exists()
