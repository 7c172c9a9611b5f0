"""The tool calls of a chat completions stream, brought into order: one whole call after the other.

Their pieces come by index, and a provider may mix those of several calls. The first call that is not whole streams on;
pieces of later calls wait. In the usual order nothing waits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from headgate.wire import loose
from headgate.wire.chat_stream import ArgumentsDelta, StreamEvent, ToolCallStarted
from headgate.wire.openai_chat.answer import arguments_text, made_up_id


@dataclass(slots=True)
class _Call:
    index: object
    id: str
    place: int
    name: str = ""
    waiting: str = ""
    sent: list[str] = field(default_factory=list)
    started: bool = False
    done: bool = False

    def whole(self) -> bool:
        arguments = "".join(self.sent)
        if not arguments.rstrip().endswith("}"):
            return False
        try:
            msgspec.json.decode(arguments)
        except (msgspec.DecodeError, RecursionError):
            return False
        return True


class CallAssembly:
    """`add` every piece; `flush` when nothing more can come."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []

    def __len__(self) -> int:
        return len(self._calls)

    def add(self, piece: Mapping[str, Any]) -> None:
        function = loose.mapping(piece.get("function"))
        call = self._call_of(piece, loose.text(piece.get("id")), loose.text(function.get("name")))
        call.name = call.name or loose.text(function.get("name"))
        call.waiting += arguments_text(function.get("arguments"))

    def _call_of(self, piece: Mapping[str, Any], call_id: str, name: str) -> _Call:
        """By index, unless another id says that it is another call: some providers number all calls 0, or none."""
        index = piece.get("index")
        for call in reversed(self._calls):
            if call.index == index and (not call_id or not call.id or call.id == call_id):
                if index is None and not call_id and name:
                    break  # without index and id, a name begins a call
                call.id = call.id or call_id
                return call
        self._calls.append(_Call(index, call_id, len(self._calls)))
        return self._calls[-1]

    def ready(self, answer_id: str) -> list[StreamEvent]:
        """What can be told now."""
        events: list[StreamEvent] = []
        for call in self._calls:
            if call.done:
                continue
            if not call.started and not call.name:
                break
            self._tell(call, answer_id, events)
            if call is self._calls[-1] or not call.whole():
                break
            call.done = True
        return events

    def flush(self, answer_id: str) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        for call in self._calls:
            if not call.done:
                self._tell(call, answer_id, events)
                call.done = True
        return events

    def _tell(self, call: _Call, answer_id: str, events: list[StreamEvent]) -> None:
        if not call.started:
            call.id = call.id or made_up_id(answer_id, call.place)
            call.started = True
            events.append(ToolCallStarted(call.id, call.name))
        if call.waiting:
            events.append(ArgumentsDelta(call.waiting))
            call.sent.append(call.waiting)
            call.waiting = ""
