"""The data directory: one process at a time, and files that are never half written."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from headgate.base.errors import Conflict
from headgate.process.data_dir import BadDataDir, DataDirLock, write_durably

HOLD_THE_LOCK = """
import sys
from pathlib import Path
from headgate.process.data_dir import DataDirLock
lock = DataDirLock.take(Path(sys.argv[1]))
print("taken", flush=True)
sys.stdin.read()
"""


def test_the_directory_is_made_for_its_user_only(tmp_path: Path) -> None:
    """A missing data directory is created, parents too, and nobody else can look into it."""
    with DataDirLock.take(tmp_path / "a" / "data"):
        assert stat.S_IMODE((tmp_path / "a" / "data").stat().st_mode) == 0o700


def test_a_second_owner_is_refused_by_the_name_of_the_first(tmp_path: Path) -> None:
    """The message names the directory, the process that has it, and the way out."""
    with DataDirLock.take(tmp_path), pytest.raises(Conflict) as caught:
        DataDirLock.take(tmp_path)
    assert str(tmp_path) in caught.value.message
    assert f"process {os.getpid()}" in caught.value.message
    assert "--data-dir" in caught.value.message


def test_a_released_directory_can_be_taken_again(tmp_path: Path) -> None:
    """The lock file stays, the lock does not."""
    DataDirLock.take(tmp_path).release()
    DataDirLock.take(tmp_path).release()


def test_a_killed_owner_leaves_no_lock_behind(tmp_path: Path) -> None:
    """After `kill -9` the next start needs no cleaning up."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD_THE_LOCK, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "taken\n"
        with pytest.raises(Conflict, match=f"process {owner.pid}"):
            DataDirLock.take(tmp_path)
        owner.send_signal(signal.SIGKILL)
        owner.wait(10)
    DataDirLock.take(tmp_path).release()


def test_a_path_that_is_no_directory_is_refused_by_name(tmp_path: Path) -> None:
    """A file in the way is an error about `data_dir`, with the way out."""
    (tmp_path / "file").write_text("")
    with pytest.raises(BadDataDir) as caught:
        DataDirLock.take(tmp_path / "file")
    assert caught.value.param == "data_dir"
    assert str(tmp_path / "file") in caught.value.message


def test_a_file_is_replaced_as_a_whole_and_private(tmp_path: Path) -> None:
    """New content, mode 0600 whatever was there before, and no left-over beside it."""
    path = tmp_path / "secret"
    path.write_text("old")
    path.chmod(0o644)
    write_durably(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_crash_before_the_replacement_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old content is untouched until the new one is complete, and a left-over does not stop the next attempt."""
    path = tmp_path / "secret"
    write_durably(path, b"old")
    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", _crash)
        with pytest.raises(KeyboardInterrupt):
            write_durably(path, b"new")
    assert path.read_bytes() == b"old"
    write_durably(path, b"new")
    assert path.read_bytes() == b"new"


def _crash(*_: object) -> None:
    raise KeyboardInterrupt
