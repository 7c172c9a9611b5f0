"""The journal as it stands, for those who only look: nothing is mended, and the server may go on writing."""

from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from headgate.ledger.journal import Entry
from headgate.ledger.recovery import Replay
from headgate.storage import segment as segments
from headgate.storage.segment import JournalDamaged

_decode: Final = msgspec.json.Decoder(Entry).decode


def read_journal(*directories: Path) -> Replay:
    """What the segments of these journals say, oldest first. A last entry that is not whole is being written, or was
    torn by a crash.

    Raises `JournalDamaged`. A segment that is deleted meanwhile is in the database.
    """
    replay = Replay()
    for directory in directories:
        _read(directory, replay)
    return replay


def _read(directory: Path, replay: Replay) -> None:
    numbers = segments.numbers_in(directory) if directory.is_dir() else []
    for number in numbers:
        path = segments.path_of(directory, number)
        with suppress(FileNotFoundError):
            contents = segments.read(path)
            if contents.torn and number != numbers[-1]:
                raise JournalDamaged(f"{path.name} ends in the middle of an entry, and a later segment follows.")
            replay.torn += contents.torn
            try:
                replay.add(map(_decode, contents.entries))
            except msgspec.ValidationError as error:
                raise JournalDamaged(f"{path.name} has an entry that this version does not know: {error}.") from error
