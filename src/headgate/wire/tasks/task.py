"""What these endpoints share: OpenAI's errors, answers that are whole or a stream of events, usage read off either."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from headgate.base.errors import HeadgateError
from headgate.base.usage import Usage
from headgate.wire.dialogue import Head
from headgate.wire.document import Document
from headgate.wire.errors import openai_body
from headgate.wire.plain import PlainMeter
from headgate.wire.reading import ABSENT, read_answer, read_event
from headgate.wire.sse import Event


class Told(msgspec.Struct, gc=False):
    """What is read of an answer, or of an event of one."""

    type: Any = None
    usage: msgspec.Raw = ABSENT
    data: list[msgspec.Raw] | None = None
    """The pictures."""
    meta: msgspec.Raw = ABSENT
    duration: Any = None


_told: Final = msgspec.json.Decoder(Told)
_WHOLE: Final = (".completed", ".done")
"""What the type of an event ends with after which the answer is whole."""


class Task:
    """The common part of the languages here."""

    headers: tuple[tuple[bytes, bytes], ...] = ()

    def error_body(self, error: HeadgateError) -> bytes:
        return openai_body(error)

    def changes(self, document: Document, head: Head) -> dict[str, bytes | None]:
        return {}


class TaskMeter(PlainMeter):
    """`read` takes the usage from an answer, or from the event that ends one; `counted` stands where it finds none."""

    def __init__(self, read: Callable[[Told], Usage | None], counted: Usage | None = None) -> None:
        super().__init__()
        self._read = read
        self._counted = counted
        # The figures at the end are all that tells: what is delivered here is no text that was generated.
        self.hidden_tokens = True

    def answer(self, body: bytes) -> None:
        told = read_answer(_told, body)
        self._take(Told() if told is None else told)

    def _take(self, told: Told) -> None:
        self.usage = self._read(told) or self._counted
        self.complete = True

    def event(self, event: Event) -> bool:
        self.delivered += len(event.data)
        told = read_event(_told, event.data) if event.data[:1] == b"{" else None
        if told is not None and isinstance(told.type, str):
            if told.type.endswith(_WHOLE):
                self._take(told)
            elif told.type == "error" and not self.complete:
                self.failed = True
        return True
