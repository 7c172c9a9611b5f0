"""Which disk a data directory is on: what the process before had borrowed is let go by the next one there, and by
nobody who has only a copy of its journal."""

import shutil
from pathlib import Path

from headgate.storage.disk import disk_id


def test_it_stays_with_the_directory(tmp_path: Path) -> None:
    """Whatever process uses it, and whatever it is called."""
    first = tmp_path / "first"
    first.mkdir()
    name = disk_id(first)
    assert disk_id(first) == name
    assert disk_id(first.rename(tmp_path / "second")) == name


def test_a_copy_is_another_disk(tmp_path: Path) -> None:
    """With its times and rights; and the directory that was copied keeps its name."""
    first = tmp_path / "first"
    first.mkdir()
    name = disk_id(first)
    copy = shutil.copytree(first, tmp_path / "copy")
    assert disk_id(copy) != name
    assert disk_id(copy) == disk_id(copy)
    assert disk_id(first) == name
