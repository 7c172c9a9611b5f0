"""A dialogue of which something is kept at the provider: under which ids is told as soon as they are seen."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec

from headgate.dataplane.wrapped import Wrapped
from headgate.wire.dialogue import Dialogue
from headgate.wire.sse import EventSplitter

T = TypeVar("T")
LOOKED_AT: Final = 1024 * 1024
"""Bytes of a stream within which its id must be."""


@dataclass(frozen=True, slots=True)
class Noting:
    """Who is told: of the answer, once, and of the containers in which the provider ran code."""

    answer: Callable[[str], None] | None = None
    container: Callable[[str], None] | None = None


class _Response(msgspec.Struct):
    id: Any = None
    container: Any = None
    output: Any = None


class _Event(msgspec.Struct):
    response: _Response | None = None
    message: _Response | None = None
    delta: Any = None
    item: Any = None


_response: Final = msgspec.json.Decoder(_Response)
_event: Final = msgspec.json.Decoder(_Event)


class Remembered(Wrapped):
    """A `Dialogue` around another, in the Responses format or in Anthropic's."""

    def __init__(self, inner: Dialogue, noting: Noting) -> None:
        super().__init__(inner)
        self._answer = noting.answer
        self._container = noting.container
        self._told: set[str] = set()
        self._splitter = EventSplitter()
        self._seen = 0

    def answer(self, status: int, body: bytes) -> bytes:
        out = self._inner.answer(status, body)
        found = _read(_response, body)
        if found is not None:
            self._tell(found)
            self._tell_containers(_in_answer(found))
        return out

    def feed(self, data: bytes) -> bytes:
        if self._answer is not None or self._container is not None:
            self._look(data)
        return self._inner.feed(data)

    def _look(self, data: bytes) -> None:
        self._seen += len(data)
        for event in self._splitter.feed(data):
            names_container = self._container is not None and b'"container' in event.data
            if not names_container and self._answer is None:
                continue
            found = _read(_event, event.data)
            if found is None:
                continue
            self._tell(found.response or found.message)
            if names_container:
                self._tell_containers(_in_event(found))
        if self._seen > LOOKED_AT:
            self._answer = None

    def _tell(self, found: _Response | None) -> None:
        if found is not None and isinstance(found.id, str) and self._answer is not None:
            note, self._answer = self._answer, None
            note(found.id)

    def _tell_containers(self, names: Iterator[object]) -> None:
        for name in names:
            if isinstance(name, str) and name not in self._told and self._container is not None:
                self._told.add(name)
                self._container(name)


def _in_event(event: _Event) -> Iterator[object]:
    for answer in (event.response, event.message):
        if answer is not None:
            yield from _in_answer(answer)
    if isinstance(event.delta, dict):
        yield _named(event.delta.get("container"), "id")
    yield _named(event.item, "container_id")


def _in_answer(answer: _Response) -> Iterator[object]:
    yield _named(answer.container, "id")
    for item in answer.output if isinstance(answer.output, list) else ():
        yield _named(item, "container_id")
        yield _named(item.get("environment") if isinstance(item, dict) else None, "container_id")


def _named(holder: object, member: str) -> object:
    return holder.get(member) if isinstance(holder, dict) else None


def _read(decoder: msgspec.json.Decoder[T], data: bytes) -> T | None:
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
