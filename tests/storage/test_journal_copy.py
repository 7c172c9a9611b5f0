"""A copy of the journal that is taken while it is written loses no call."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from headgate.storage import segment as segments
from headgate.storage.journal import FileJournal
from headgate.storage.journal_copy import copy_journal
from headgate.storage.journal_reading import read_journal
from tests.storage.test_journal import call, settlement


class Busy(threading.Thread):
    """Writes calls as fast as it can. `settled` and `filed` only grow: what is on disk, and what the database has.

    Every hundredth call stays open for a long time, so that segments are carried on.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(daemon=True)
        self._journal, _ = FileJournal.open(directory, segment_bytes=4_000, max_bytes=60_000)
        self.settled: list[str] = []
        self.filed: list[str] = []
        self.enough = False

    def run(self) -> None:
        number, late = 0, ""
        while not self.enough:
            number += 1
            name = f"call-{number}"
            self._write(*call(name))
            if number % 100 == 0:
                name, late = late or name, name
            if name != late:
                self._write(settlement(name))
                self.settled.append(name)
            if number % 10 == 0:
                ended = self.settled[len(self.filed) :]
                self.filed += ended
                self._journal.checkpoint(ended)
        self._journal.close()

    def _write(self, *entries: object) -> None:
        for entry in entries:
            self._journal.append(entry)  # type: ignore[arg-type]
        self._journal.flush()


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[Busy]:
    writer = Busy(tmp_path / "journal")
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    writer.start()
    yield writer
    writer.enough = True
    writer.join()
    sys.setswitchinterval(interval)


def test_what_was_settled_before_is_in_the_copy_or_in_the_database_afterwards(busy: Busy, tmp_path: Path) -> None:
    """Whatever is written, carried on and deleted meanwhile; and the copy is a journal that a start takes."""
    oldest = set()
    for number in range(60):
        copy = tmp_path / f"copy-{number}"
        copy.mkdir()
        settled = list(busy.settled)
        paths = copy_journal(tmp_path / "journal", copy)
        filed = set(busy.filed)
        replay = read_journal(copy)
        assert not [name for name in settled if name not in filed and name not in replay.settled]
        opened, _ = FileJournal.open(copy)
        opened.close()
        oldest.add(paths[0].name)
    assert len(oldest) > 5
    assert busy.is_alive()


def test_a_segment_that_goes_between_the_look_and_the_opening_is_looked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it had may stand in a segment that was not there at the first look."""
    source, target = tmp_path / "journal", tmp_path / "copy"
    target.mkdir()
    journal, _ = FileJournal.open(source)
    for entry in (*call("a"), settlement("a")):
        journal.append(entry)
    journal.close()
    looks = [[1, 2], [2]]
    (source / "journal-0000000001.log").rename(source / "journal-0000000002.log")
    monkeypatch.setattr(segments, "numbers_in", lambda directory: looks.pop(0))
    assert [path.name for path in copy_journal(source, target)] == ["journal-0000000002.log"]
    assert looks == []
    monkeypatch.undo()
    assert read_journal(target).settled.keys() == {"a"}


def test_without_a_journal_there_is_nothing_to_copy(tmp_path: Path) -> None:
    """An installation that was stopped well may have none."""
    assert copy_journal(tmp_path / "none", tmp_path) == []
