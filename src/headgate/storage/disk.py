"""Which disk a data directory is on: a name that stays with it, whatever process uses it."""

import os
from pathlib import Path
from typing import Final, TextIO

DISK_FILE: Final = "disk_id"
_BYTES: Final = 8


def disk_id(data_dir: Path) -> str:
    """Made at the first use, and from then on the same; the directory is used by one process at a time. A copy of it is
    another disk: the file says which inode it was written as."""
    path = data_dir / DISK_FILE
    try:
        with path.open(encoding="ascii") as file:
            known, _, inode = file.read().strip().partition(" ")
            if inode == _inode(file):
                return known
    except FileNotFoundError:
        pass
    made = os.urandom(_BYTES).hex()
    fresh = path.with_name(path.name + ".new")
    with fresh.open("w", encoding="ascii") as file:
        file.write(f"{made} {_inode(file)}\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    return made


def _inode(file: TextIO) -> str:
    return str(os.fstat(file.fileno()).st_ino)
