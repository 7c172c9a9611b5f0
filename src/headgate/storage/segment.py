"""One file of the journal: a header line, then one line per entry: CRC-32 in hexadecimal, a space, JSON.

Lines, so that an operator can read a journal with the tools at hand; the newline says where an entry ends, the
checksum that it is whole.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zlib import crc32

HEADER: Final = b"headgate journal 1\n"
_NAME: Final = re.compile(r"journal-(\d{10})\.log")


class JournalDamaged(Exception):
    """A journal that cannot be believed: what is damaged is followed by entries that are whole.

    A crash does not do that; a failing disk or a hand in the file does. Nothing was changed.
    """


def line(payload: bytes) -> bytes:
    """One entry as it stands in the file."""
    return b"%08x %b\n" % (crc32(payload), payload)


def payload(text: bytes) -> bytes | None:
    """The entry of a line without its newline; None if it is not whole."""
    body = text[9:]
    return body if body and text[:9] == b"%08x " % crc32(body) else None


@dataclass(frozen=True, slots=True)
class Contents:
    """What a segment holds: its entries, up to `whole` bytes, and `torn` bytes behind them that are no entry."""

    entries: list[bytes]
    whole: int
    torn: int


def read(path: Path) -> Contents:
    """What the file holds; see `parse`."""
    return parse(path.name, path.read_bytes())


def parse(name: str, data: bytes) -> Contents:
    """Raises `JournalDamaged` if anything that is not whole is followed by an entry that is, or the header is wrong."""
    if not data.startswith(HEADER):
        if HEADER.startswith(data):  # it was being created
            return Contents([], 0, len(data))
        raise JournalDamaged(f"{name} does not begin as a journal of this version does. {_WAY_OUT}")
    lines = data.split(b"\n")
    entries: list[bytes] = []
    whole = len(HEADER)
    for index in range(1, len(lines) - 1):
        entry = payload(lines[index])
        if entry is None:
            if any(payload(later) is not None for later in lines[index + 1 :]):
                raise JournalDamaged(f"{name} is damaged at byte {whole}, and whole entries follow. {_WAY_OUT}")
            break
        entries.append(entry)
        whole += len(lines[index]) + 1
    return Contents(entries, whole, len(data) - whole)


_WAY_OUT: Final = (
    "Restore the file, or move it away to start without it: calls that only it knows of are then not recorded."
)


def path_of(directory: Path, number: int) -> Path:
    return directory / f"journal-{number:010d}.log"


def numbers_in(directory: Path) -> list[int]:
    """The segments there are, oldest first."""
    return sorted(int(match[1]) for name in os.listdir(directory) if (match := _NAME.fullmatch(name)))


def mend(path: Path, whole: int) -> None:
    """Cuts off what a crash left unfinished."""
    with path.open("r+b") as file:
        if whole == 0:
            file.write(HEADER)
        file.truncate(max(whole, len(HEADER)))


class SegmentFile:
    """A segment that is being written: what is written stands there whole or not at all."""

    def __init__(self, path: Path) -> None:
        """Creates the file. Raises OSError; then there is none."""
        self.path = path
        self.size = 0
        self._cut = False
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            self.write(HEADER)
        except OSError:
            self.close()
            path.unlink()
            raise

    def write(self, data: bytes) -> None:
        """Raises OSError; then the file is as it was, or is made so before the next write."""
        if self._cut:
            self._cut_back()
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError:
            self._cut = True
            self._cut_back()
            raise
        self.size += len(data)

    def _cut_back(self) -> None:
        os.ftruncate(self._file, self.size)
        self._cut = False

    def sync(self) -> None:
        """Returns once the disk has it. Raises OSError. For any thread."""
        os.fsync(self._file)

    def duplicate(self) -> int:
        """A file descriptor of its own, which outlives `close`."""
        return os.dup(self._file)

    def close(self) -> None:
        os.close(self._file)
