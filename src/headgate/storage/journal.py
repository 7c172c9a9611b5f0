"""The journal on disk: segments that are appended to, and deleted once the database knows all that is in them.

`append` keeps an entry in memory; `flush` writes all there is with one call to the operating system, which then has
it through the death of this process. With `sync`, `durable` waits for the disk itself, many calls at a time.
"""

from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from headgate.ledger.journal import Entry, HoldEntry, JournalUnavailable, SettleEntry, VoidEntry
from headgate.ledger.recovery import Replay
from headgate.storage import segment as segments
from headgate.storage.group_sync import GroupSync
from headgate.storage.segment import JournalDamaged, SegmentFile

SEGMENT_BYTES: Final = 16 << 20
JOURNAL_BYTES: Final = 1 << 30
CARRIED_AT_MOST: Final = 1_000
"""Calls for which a segment is written again rather than kept; for more, little room would be gained."""
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Entry).decode
Later = Callable[[Callable[[], None]], object]
"""Runs something at the end of the tick, as an event loop's `call_soon` does."""


class _Segment:
    """`pending`: calls for whose sake it must stay."""

    __slots__ = ("path", "pending", "size")

    def __init__(self, path: Path, size: int, pending: int = 0) -> None:
        self.path = path
        self.size = size
        self.pending = pending


class _Call:
    """A call the database does not know yet. `segment` must stay; `lines` are its entries while it is unsettled."""

    __slots__ = ("lines", "segment")

    def __init__(self, segment: _Segment, lines: list[bytes]) -> None:
        self.segment = segment
        self.lines = lines


class FileJournal:
    """Implements `ledger.journal.Journal`; one per directory.

    Disk use is bounded by `max_bytes` and what calls under way add when they end. While a write fails nothing is
    lost and no call begins: what is in memory is written as soon as the disk takes it.
    """

    def __init__(
        self,
        directory: Path,
        replayed: list[_Segment],
        number: int,
        *,
        segment_bytes: int,
        max_bytes: int,
        sync: bool,
        later: Later | None,
    ) -> None:
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._max_bytes = max_bytes
        self._later = later
        self._buffer: list[bytes] = []
        self._buffered = 0
        self._flush_is_due = False
        self._failure: OSError | None = None
        self._calls: dict[str, _Call] = {}
        self._replayed = replayed
        self._sealed = deque(replayed)
        self._sealed_bytes = sum(segment.size for segment in replayed)
        self._number = number
        self._file = SegmentFile(segments.path_of(directory, number))
        self._segment = _Segment(self._file.path, 0)
        self._sync = GroupSync(self._file, directory) if sync else None

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        max_bytes: int = JOURNAL_BYTES,
        sync: bool = False,
        later: Later | None = None,
    ) -> tuple["FileJournal", Replay]:
        """The journal, ready for a new segment, and what the earlier ones say.

        They stay until `discard_replayed`. What a crash cut off is removed. Raises `JournalDamaged`, or
        `JournalUnavailable` if the directory cannot be written to.
        """
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            replay, replayed, number = _replay(directory)
            options = {"segment_bytes": segment_bytes, "max_bytes": max_bytes}
            return cls(directory, replayed, number + 1, **options, sync=sync, later=later), replay
        except OSError as error:
            raise _unavailable(error) from error

    @property
    def size(self) -> int:
        """Bytes, those not yet written included."""
        return self._sealed_bytes + self._file.size + self._buffered

    @property
    def limit(self) -> int:
        """The most bytes it may have before no more calls are taken."""
        return self._max_bytes

    @property
    def segments(self) -> int:
        """Files, the one that is written to included."""
        return len(self._sealed) + 1

    @property
    def failure(self) -> OSError | None:
        """Why the last write failed; None if it did not. For logs."""
        return self._failure

    def trouble(self) -> OSError | None:
        """Why what waits cannot be written now, which is tried; None: nothing waits. For readiness: a balancer sends
        no call, which would try it, to a process that is not ready."""
        if self._failure is not None:
            self._flush_due()
        return self._failure

    def append(self, entry: Entry) -> None:
        if type(entry) is HoldEntry:
            self.admit()
        line = segments.line(_encode(entry))
        self._track(entry, line)
        self._keep(line)

    def admit(self) -> None:
        if self._failure is not None:
            self.flush()
        if self.size >= self._max_bytes:
            self._retire()
            if self.size >= self._max_bytes:
                raise JournalUnavailable(
                    "Headgate takes no new calls: settled calls wait for the database, and the journal that keeps them "
                    "has reached its size limit. It goes on as soon as the database takes them.",
                    code="journal_full",
                    retry_after=1.0,
                )

    def _track(self, entry: Entry, line: bytes) -> None:
        call, kind = self._calls.get(entry.request_id), type(entry)
        if kind is VoidEntry:
            if call is not None:
                del self._calls[entry.request_id]
                call.segment.pending -= 1
        elif call is None:
            self._calls[entry.request_id] = _Call(self._segment, [] if kind is SettleEntry else [line])
            self._segment.pending += 1
        elif kind is SettleEntry:  # says all that matters by itself
            call.lines = []
            if call.segment is not self._segment:
                call.segment.pending -= 1
                call.segment = self._segment
                call.segment.pending += 1
        else:
            call.lines.append(line)

    def _keep(self, line: bytes) -> None:
        self._buffer.append(line)
        self._buffered += len(line)
        if self._later is not None and not self._flush_is_due:
            self._flush_is_due = True
            self._later(self._flush_due)

    def _flush_due(self) -> None:
        with suppress(JournalUnavailable):  # `failure` tells, and the next call is refused
            self.flush()

    def flush(self) -> None:
        self._flush_is_due = False
        try:
            if self._sync is not None:
                self._sync.check()
            if not self._buffer:
                return
            self._file.write(b"".join(self._buffer))
        except OSError as error:
            self._failure = error
            raise _unavailable(error) from error
        self._failure = None
        self._buffer.clear()
        self._buffered = 0
        if self._file.size >= self._segment_bytes:
            self._rotate()

    async def durable(self) -> None:
        """Once it returns, the disk has all that was flushed before; at once without `sync`.

        Raises `JournalUnavailable`, from then on for good: what a disk failed to keep cannot be asked of it again.
        """
        if self._sync is not None:
            try:
                await self._sync.wait()
            except OSError as error:
                self._failure = error
                raise _unavailable(error) from error

    def _rotate(self) -> None:
        try:
            file = SegmentFile(segments.path_of(self._directory, self._number + 1))
        except OSError:
            return  # the segment goes on growing, and the next flush tries again
        if self._sync is not None:
            self._sync.switch(file)
        self._number += 1
        self._file.close()
        self._segment.size = self._file.size
        self._sealed.append(self._segment)
        self._sealed_bytes += self._segment.size
        self._file = file
        self._segment = _Segment(file.path, 0)
        self._retire()

    def checkpoint(self, request_ids: Iterable[str]) -> None:
        """The usage records of these settled calls are in the database: the journal need not keep them."""
        for request_id in request_ids:
            call = self._calls.get(request_id)
            if call is not None and not call.lines:
                del self._calls[request_id]
                call.segment.pending -= 1
        self._retire()

    def discard_replayed(self) -> None:
        """All that `open` found is in the database."""
        for segment in self._replayed:
            segment.pending -= 1
        self._replayed = []
        self._retire()

    def _retire(self) -> None:
        """Deletes segments, oldest first only: a later entry may undo an earlier one, never the other way round."""
        with suppress(JournalUnavailable, JournalDamaged, OSError):  # they stay, and are tried again
            while self._sealed and (not self._sealed[0].pending or self._carry(self._sealed[0])):
                if self._buffer:
                    self.flush()  # what undoes the entries of a segment must be on disk before it goes
                    continue
                self._sealed[0].path.unlink(missing_ok=True)
                self._sealed_bytes -= self._sealed.popleft().size

    def _carry(self, oldest: _Segment) -> bool:
        """Write what a few calls still need of it once more, so that they do not keep all the segments that follow.

        Only when half the room is used. What was settled is read from the file again, as it is not kept in memory.
        """
        if self.size < self._max_bytes // 2 or oldest.pending > CARRIED_AT_MOST or oldest in self._replayed:
            return False
        calls = {request_id: call for request_id, call in self._calls.items() if call.segment is oldest}
        settled = {request_id for request_id, call in calls.items() if not call.lines}
        lines = [line for call in calls.values() for line in call.lines]
        if settled:
            entries = segments.read(oldest.path).entries
            lines += [segments.line(entry) for entry in entries if _settles(entry, settled)]
        if sum(map(len, lines)) > oldest.size // 2:
            return False
        for line in lines:
            self._keep(line)
        for call in calls.values():
            call.segment = self._segment
        self._segment.pending += len(calls)
        oldest.pending = 0
        return True

    def close(self) -> None:
        """Write what is left. A journal nobody needs any more leaves no file. Raises `JournalUnavailable`."""
        try:
            self.flush()
        finally:
            self._file.close()
        if not self._calls and not self._sealed:
            self._file.path.unlink(missing_ok=True)


def _settles(payload: bytes, request_ids: set[str]) -> bool:
    entry = _decode(payload)
    return type(entry) is SettleEntry and entry.request_id in request_ids


def _replay(directory: Path) -> tuple[Replay, list[_Segment], int]:
    replay, found = Replay(), []
    numbers = segments.numbers_in(directory)
    for number in numbers:
        path = segments.path_of(directory, number)
        contents = segments.read(path)
        if contents.torn:
            if number != numbers[-1]:
                raise JournalDamaged(f"{path.name} ends in the middle of an entry, and a later segment follows.")
            segments.mend(path, contents.whole)
            replay.torn = contents.torn
        try:
            replay.add(map(_decode, contents.entries))
        except msgspec.ValidationError as error:
            raise JournalDamaged(f"{path.name} has an entry that this version does not know: {error}.") from error
        found.append(_Segment(path, contents.whole, pending=1))
    if headless := replay.headless():
        raise JournalDamaged(f"The journal lacks the hold of {headless[0]} and {len(headless) - 1} others.")
    return replay, found, numbers[-1] if numbers else 0


def _unavailable(error: OSError) -> JournalUnavailable:
    return JournalUnavailable(
        f"Headgate takes no new calls: its journal cannot be written ({error.strerror}). It goes on as soon as it can.",
        retry_after=1.0,
    )
