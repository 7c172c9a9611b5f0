"""A dialogue whose answer is kept at the provider: the id that it is kept under is told as soon as it is seen."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec

from headgate.dataplane.wrapped import Wrapped
from headgate.wire.dialogue import Dialogue
from headgate.wire.sse import EventSplitter

T = TypeVar("T")
LOOKED_AT: Final = 1024 * 1024
"""Bytes of a stream within which its id must be."""


class _Response(msgspec.Struct):
    id: Any = None


class _Event(msgspec.Struct):
    response: _Response | None = None
    message: _Response | None = None


_response: Final = msgspec.json.Decoder(_Response)
_event: Final = msgspec.json.Decoder(_Event)


class Remembered(Wrapped):
    """A `Dialogue` around another, in the Responses format or in Anthropic's. `note` is told once."""

    def __init__(self, inner: Dialogue, note: Callable[[str], None]) -> None:
        super().__init__(inner)
        self._note: Callable[[str], None] | None = note
        self._splitter = EventSplitter()
        self._seen = 0

    def answer(self, status: int, body: bytes) -> bytes:
        out = self._inner.answer(status, body)
        self._tell(_read(_response, body))
        return out

    def feed(self, data: bytes) -> bytes:
        if self._note is not None:
            self._look(data)
        return self._inner.feed(data)

    def _look(self, data: bytes) -> None:
        self._seen += len(data)
        for event in self._splitter.feed(data):
            found = _read(_event, event.data)
            self._tell(None if found is None else found.response or found.message)
        if self._seen > LOOKED_AT:
            self._note = None

    def _tell(self, found: _Response | None) -> None:
        if found is not None and isinstance(found.id, str) and self._note is not None:
            note, self._note = self._note, None
            note(found.id)


def _read(decoder: msgspec.json.Decoder[T], data: bytes) -> T | None:
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
