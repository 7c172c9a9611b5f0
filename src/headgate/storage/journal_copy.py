"""A copy of the journal while the server goes on writing it.

Whoever copies the journal first and the database afterwards has every call that was settled before: a segment is
deleted only once the database has all that is in it, and what is in both is known by its request id.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from headgate.storage import segment as segments


def copy_journal(source: Path, target: Path) -> Sequence[Path]:
    """All segments there are at one moment, into a directory that exists; the paths of the copies, oldest first.

    The last one may end within an entry, as after a crash.
    """
    with ExitStack() as opened:
        copies = []
        for number, file in _opened(source, opened):
            path = segments.path_of(target, number)
            path.write_bytes(file.read())
            copies.append(path)
        return copies


def _opened(directory: Path, closing: ExitStack) -> Sequence[tuple[int, BinaryIO]]:
    """What is open can be read to its end, even if it is deleted meanwhile.

    What was deleted before it could be opened may have been carried into a segment that was not there yet: then the
    whole look is taken again.
    """
    while True:
        numbers = segments.numbers_in(directory) if directory.is_dir() else []
        with ExitStack() as files:
            try:
                found = [(each, files.enter_context(segments.path_of(directory, each).open("rb"))) for each in numbers]
            except FileNotFoundError:
                continue
            closing.push(files.pop_all())
            return found
