"""The simulator's own books, as JSON lines: an intent before the first byte goes out, what was billed at the end.

One `os.write` with O_APPEND per entry: what was written survives the death of the process, and entries of several
processes on one file do not mix.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import msgspec


class Intent(msgspec.Struct, frozen=True, kw_only=True, tag="intent", tag_field="event"):
    """A call that is about to be answered. `expected` is what it will be billed if it runs to its end."""

    id: str
    request_id: str
    """The caller's `x-headgate-request-id`; empty where it sent none."""
    dialect: str
    model: str
    stream: bool
    credential: str
    """The first 16 hexadecimal digits of the credential's SHA-256; empty where there was none."""
    started: int
    """Nanoseconds since 1970-01-01 UTC."""
    expected: Mapping[str, int]


class Billed(msgspec.Struct, frozen=True, kw_only=True, tag="billed", tag_field="event"):
    """The end of a call. `usage` is what is billed, by the disjoint meters of `headgate.base.usage`."""

    id: str
    request_id: str
    status: int
    usage: Mapping[str, int]
    told: bool
    """Whether the caller was told exactly this usage: not where the answer leaves it out, lies, or broke off before."""
    bytes_sent: int
    finished: bool
    """Whether the whole answer went out."""
    ended: int


Entry = Intent | Billed
_encoder = msgspec.json.Encoder()


class Journal:
    """Appends entries to a file, which it creates. A failed write raises `OSError`: no books, no answer."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def append(self, entry: Entry) -> None:
        line = _encoder.encode(entry) + b"\n"
        if os.write(self._file, line) != len(line):
            raise OSError(f"The simulator's journal {self.path} took only part of an entry: is the disk full?")

    def close(self) -> None:
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        self.close()
        return False
