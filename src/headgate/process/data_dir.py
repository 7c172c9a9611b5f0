"""The data directory: private to its user, and one process's at a time."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from headgate.base.errors import Conflict, HeadgateError

LOCK_FILE = "headgate.lock"


class BadDataDir(HeadgateError):
    """The data directory cannot be made, read or written."""

    status, type, code = 500, "configuration_error", "data_dir"


class DataDirLock:
    """Held from `take` to `release`, or until the process dies, however it dies: the kernel keeps it, not the file.

    The file holds the owner's process id, for the message to whoever comes second. It is never removed: two processes
    that lock two files of the same name would both believe themselves alone.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, data_dir: Path) -> Self:
        """Make the directory where it is missing, and lock it. Raises `Conflict` naming the owner, `BadDataDir`."""
        try:
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(data_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise BadDataDir(
                f"data_dir: `{data_dir}` cannot be used: {error.strerror}. Name another with --data-dir.",
                param="data_dir",
            ) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise Conflict(
                f"data_dir: `{data_dir}` is in use by process {owner or '(just starting)'}. "
                "Stop that one, or name another directory with --data-dir.",
                param="data_dir",
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(descriptor)

    def release(self) -> None:
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


def write_durably(path: Path, content: bytes) -> None:
    """Replace a private file (mode 0600) as a whole: a crash leaves the old content or the new, never a part of it."""
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
        with open(descriptor, "wb", closefd=False) as file:
            file.write(content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(fresh, path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
