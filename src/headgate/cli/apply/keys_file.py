"""Where new secrets go: to a file that only its owner reads, a line of JSON for each, or to the terminal."""

import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from headgate.cli.apply.errors import BadFile

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
Keep = Callable[[Mapping[str, str]], None]


@contextmanager
def keeping(path: Path | None) -> Iterator[Keep]:
    """What is kept is on disk before the next is made. Without a path it is printed, this once.

    Raises `BadFile` for a file that others may read, or that cannot be written.
    """
    if path is None:
        yield lambda secret: print(json.dumps(dict(secret), ensure_ascii=False))
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise BadFile(f"{path} cannot be written: {error.strerror}.") from None
    with os.fdopen(descriptor, "a") as file:
        if os.fstat(file.fileno()).st_mode & _OTHERS:
            raise BadFile(f"{path} may be read by others. Take that away first: chmod 600 {path}")

        def keep(secret: Mapping[str, str]) -> None:
            file.write(json.dumps(dict(secret), ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

        yield keep


def kept_ids(path: Path) -> set[str]:
    """The ids of those whose secret is in the file; none where there is no such file."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return set()
    return {str(entry.get("id")) for line in lines if line.startswith("{") for entry in [json.loads(line)]}
