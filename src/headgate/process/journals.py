"""The journals of a data directory: several workers have one each, in directories of it."""

from pathlib import Path

from headgate.base.errors import HeadgateError
from headgate.bootstrap import JOURNAL_DIRECTORY
from headgate.ledger.recovery import Replay
from headgate.storage.journal_reading import read_journal
from headgate.storage.segment import JournalDamaged


class BooksDamaged(HeadgateError):
    """The journal cannot be read."""

    status, type, code = 500, "journal_error", "journal_damaged"


def journals_in(data_dir: Path) -> list[Path]:
    """The first worker's, which is also that of a process alone, and those of all others that there are or were."""
    return [data_dir / JOURNAL_DIRECTORY, *sorted(data_dir.glob(f"*/{JOURNAL_DIRECTORY}"))]


def read_journals(data_dir: Path) -> Replay:
    """What they all say. Raises `BooksDamaged`."""
    try:
        return read_journal(*journals_in(data_dir))
    except JournalDamaged as error:
        raise BooksDamaged(str(error)) from error
