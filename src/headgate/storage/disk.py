"""Which disk a data directory is on: a name that stays with it, whatever process uses it."""

import os
from pathlib import Path
from typing import Final

DISK_FILE: Final = "disk_id"
_BYTES: Final = 8


def disk_id(data_dir: Path) -> str:
    """Made at the first use, and from then on the same. The directory is used by one process at a time; a copy of it
    must not be used beside it."""
    path = data_dir / DISK_FILE
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        made = os.urandom(_BYTES).hex()
    fresh = path.with_name(path.name + ".new")
    with fresh.open("w", encoding="ascii") as file:
        file.write(f"{made}\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    return made
