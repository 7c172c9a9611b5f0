"""Event streams taken apart as they arrive, in time linear in their length, however the network cuts them.

After the WHATWG specification of server-sent events: lines end in LF, CRLF or CR; a blank line ends an event; `data`
lines are joined by LF; comments and unknown fields are passed over. Two differences, both because a gateway forwards
what it reads: every event keeps its raw bytes, and an event whose final blank line is missing is not dropped.
"""

import re
from typing import Final

import msgspec

from headgate.base.errors import UpstreamFailed

MAX_EVENT_BYTES: Final = 16 * 1024 * 1024

_LF, _CR = b"\n\r"
_BOM = b"\xef\xbb\xbf"
# Possessive, so that CRLF is never read as two line ends; a CR that is the last byte so far may be half of a CRLF.
_BLANK_LINE = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r(?!\Z))")
_USUAL = re.compile(rb"(?:event: ([^\n]*+)\n)?+data: ([^\n]*+)\n\n")
_LINE_END = re.compile(rb"\r\n|\n|\r")


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event. `data` is empty where there is nothing to read: comments, keep-alives, stray blank lines.

    The `raw` of all events, one after the other, are the bytes of the stream.
    """

    name: bytes
    """The `event:` field, empty if there is none."""
    data: bytes
    raw: bytes


class EventSplitter:
    """`feed` bytes as they come, then `finish` once."""

    __slots__ = ("_begun", "_between", "_carriage_returns", "_limit", "_pending", "_searched")

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._limit = max_event_bytes
        self._pending = bytearray()
        self._searched = 0
        self._carriage_returns = False
        self._begun = False
        self._between = False  # one event is whole, the next has not begun, and lines end in LF so far

    def feed(self, data: bytes) -> list[Event]:
        """The events that are whole now. Raises `UpstreamFailed` when one is longer than the limit."""
        if self._between and (event := _usual(data)) is not None:
            return [event]  # its raw bytes are the very object that came
        self._carriage_returns = self._carriage_returns or _CR in data
        if self._begun and not self._pending and not self._carriage_returns:
            events, end = _run(data)
            blocks = data[end:].split(b"\n\n")
            self._keep(blocks.pop())
            return events + [_event(block + b"\n\n") for block in blocks]
        self._pending += data
        start, raws = 0, []
        for end in self._ends():
            raws.append(bytes(self._pending[start:end]))
            start = end
        del self._pending[:start]
        events = [_event(raw) if self._begun else self._first(raw) for raw in raws]
        self._keep(b"")
        return events

    def finish(self) -> list[Event]:
        """What is left when the stream ends: at most one event, its blank line missing."""
        left = bytes(self._pending)
        self._pending.clear()
        return [_event(left) if self._begun else self._first(left)] if left else []

    def _keep(self, tail: bytes) -> None:
        self._pending += tail
        self._searched = max(0, len(self._pending) - 3)  # a blank line is four bytes at most: no byte is searched again
        if len(self._pending) > self._limit:
            raise UpstreamFailed(f"The provider sent an event of more than {self._limit} bytes.")
        self._between = self._begun and not self._pending and not self._carriage_returns

    def _ends(self) -> list[int]:
        if self._carriage_returns:
            return [match.end() for match in _BLANK_LINE.finditer(self._pending, self._searched)]
        ends, position = [], self._searched
        while (found := self._pending.find(b"\n\n", position)) >= 0:
            position = found + 2
            ends.append(position)
        return ends

    def _first(self, raw: bytes) -> Event:
        self._begun = True
        event = _event(raw.removeprefix(_BOM))
        return Event(event.name, event.data, raw)


def _usual(raw: bytes) -> Event | None:
    """The event, if this is exactly one of a usual shape: a line of data, maybe its name on a line before.

    A byte's number is looked for in a quarter of the time that `find` takes for it: 0.2 µs for the event, not 0.4.
    """
    head, line = b"", raw
    if raw[:7] == b"event: ":
        head, _, line = raw.partition(b"\n")
    if line[:6] != b"data: " or raw[-2:] != b"\n\n":
        return None
    data = line[6:-2]
    if _LF in data or _CR in data or _CR in head:
        return None
    return Event(head[7:], data, raw)


def _run(data: bytes) -> tuple[list[Event], int]:
    """The events of the usual shape that these bytes begin with, and where they end. Lines end in LF."""
    events, end = [], 0
    for match in _USUAL.finditer(data):
        if match.start() != end:
            break
        raw, name, line = match.group(0, 1, 2)
        events.append(Event(name or b"", line, raw))
        end = match.end()
    return events, end


def _event(raw: bytes) -> Event:
    if (usual := _usual(raw)) is not None:
        return usual
    name, data = b"", []
    for line in _LINE_END.split(raw):
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.removeprefix(b" ")
    return Event(name, b"\n".join(data), raw)
