"""A chat completions stream of any provider of the family, as neutral events."""

from collections.abc import Mapping
from typing import Any

from headgate.wire import loose
from headgate.wire.chat import Stop, stop_of
from headgate.wire.chat_stream import (
    Ended,
    Failed,
    Finished,
    Signed,
    Started,
    StreamEvent,
    TextDelta,
    TextStarted,
    ThinkingDelta,
    ThinkingStarted,
    UsageSeen,
)
from headgate.wire.openai_chat.answer import BROKEN_OFF, STOPS, broken_off, content_pieces, error_message
from headgate.wire.openai_chat.call_assembly import CallAssembly
from headgate.wire.openai_chat.request_writer import REASONING_MEMBERS, SIGNATURE
from headgate.wire.openai_chat.usage import read_usage
from headgate.wire.sse import Event

DONE = b"[DONE]"


class StreamReader:
    def __init__(self) -> None:
        self._id = ""
        self._started = False
        self._finished = False
        self._refused = False
        self._open = ""
        """`text`, `thinking` or nothing: which part takes the next delta."""
        self._signature = ""
        self._calls = CallAssembly()

    def read(self, event: Event) -> list[StreamEvent]:
        if not event.data:
            return []
        if event.data.strip() == DONE:
            return [*([] if self._finished else self._finish(Stop.END)), Ended()]
        chunk = loose.decode_object(event.data)
        if (error := chunk.get("error")) is not None:
            return [Failed(error_message(error))]
        choices = loose.mappings(chunk.get("choices"))
        events: list[StreamEvent] = []
        if (usage := read_usage(loose.mapping(chunk.get("usage")), terms=chunk.get("service_tier"))) is not None:
            events.append(UsageSeen(usage))
        if not self._started and (choices or chunk.get("id")):
            self._started, self._id = True, loose.text(chunk.get("id"))
            events.append(Started(self._id, loose.text(chunk.get("model"))))
        for choice in choices[:1]:
            events += self._read_choice(choice)
        return events

    def _read_choice(self, choice: Mapping[str, Any]) -> list[StreamEvent]:
        if self._finished:
            return []
        events = self._read_delta(loose.mapping(choice.get("delta")))
        reason = loose.text(choice.get("finish_reason"))
        if reason in BROKEN_OFF:
            return [*events, Failed(broken_off(reason).message)]
        return events + self._finish(STOPS.get(reason, Stop.END)) if reason else events

    def _read_delta(self, delta: Mapping[str, Any]) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        for member in REASONING_MEMBERS:
            if thoughts := loose.text(delta.get(member)):
                events += self._think(thoughts, SIGNATURE + member)
                break
        for kind, text in content_pieces(delta.get("content")):
            events += self._think(text, SIGNATURE) if kind == "thinking" else self._say(text)
        if refusal := loose.text(delta.get("refusal")):
            self._refused = True
            events += self._say(refusal)
        if pieces := loose.mappings(delta.get("tool_calls")):
            events += self._close()
            for piece in pieces:
                self._calls.add(piece)
            events += self._calls.ready(self._id)
        return events

    def _say(self, text: str) -> list[StreamEvent]:
        return [*self._switch("text", TextStarted()), TextDelta(text)]

    def _think(self, text: str, signature: str) -> list[StreamEvent]:
        events = [*self._switch("thinking", ThinkingStarted()), ThinkingDelta(text)]
        self._signature = signature
        return events

    def _switch(self, kind: str, start: StreamEvent) -> list[StreamEvent]:
        if self._open == kind:
            return []
        events = [*self._close(), *self._calls.flush(self._id), start]
        self._open = kind
        return events

    def _close(self) -> list[StreamEvent]:
        events: list[StreamEvent] = [Signed(self._signature)] if self._open == "thinking" else []
        self._open = ""
        return events

    def _finish(self, stop: Stop) -> list[StreamEvent]:
        self._finished = True
        stop = Stop.REFUSAL if self._refused else stop_of(stop, bool(self._calls))
        return [*self._close(), *self._calls.flush(self._id), Finished(stop)]
