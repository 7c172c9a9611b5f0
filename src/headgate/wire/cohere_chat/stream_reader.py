"""A stream of Cohere's chat as neutral events. Every event says its own `type`; `message-end` is the last.

Source: Cohere's API reference, "Chat with Streaming".
"""

from collections.abc import Mapping
from typing import Any

from headgate.wire import loose
from headgate.wire.chat import Stop, stop_of
from headgate.wire.chat_stream import (
    ArgumentsDelta,
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
    ToolCallStarted,
    UsageSeen,
)
from headgate.wire.cohere_chat.answer import BROKEN_OFF, STOPS, broken_off, error_message, tool_call
from headgate.wire.cohere_chat.request_writer import PLAN, THINKING
from headgate.wire.cohere_chat.usage import read_usage
from headgate.wire.sse import Event

_TEXT, _CALL = "text", "call"


class StreamReader:
    def __init__(self) -> None:
        self._id = ""
        self._open = ""
        """Which part takes the next piece: `text`, `call`, thinking by its signature, or none."""
        self._calls = 0

    def read(self, event: Event) -> list[StreamEvent]:
        if not event.data:
            return []
        told = loose.decode_object(event.data)
        delta = loose.mapping(told.get("delta"))
        message = loose.mapping(delta.get("message"))
        match told.get("type"):
            case "message-start":
                self._id = loose.text(told.get("id"))
                return [Started(self._id, "")]
            case "content-start" | "content-delta":
                return self._content(loose.mapping(message.get("content")))
            case "tool-plan-delta":
                return self._think(loose.text(message.get("tool_plan")), PLAN)
            case "tool-call-start":
                return self._call(_first(message.get("tool_calls")))
            case "tool-call-delta":
                return self._arguments(_first(message.get("tool_calls")))
            case "content-end" | "tool-call-end":
                return self._close()
            case "message-end":
                return self._end(delta)
        error = told.get("error") or (told.get("message") if "type" not in told else None)
        return [Failed(error_message(error))] if error else []

    def _content(self, content: Mapping[str, Any]) -> list[StreamEvent]:
        events = self._think(loose.text(content.get("thinking")), THINKING)
        if text := loose.text(content.get("text")):
            events += [*self._switch(_TEXT, TextStarted()), TextDelta(text)]
        return events

    def _think(self, thoughts: str, signature: str) -> list[StreamEvent]:
        return [*self._switch(signature, ThinkingStarted()), ThinkingDelta(thoughts)] if thoughts else []

    def _call(self, call: Mapping[str, Any]) -> list[StreamEvent]:
        begun = tool_call(call, self._id, self._calls)
        self._calls += 1
        events = [*self._close(), ToolCallStarted(begun.id, begun.name)]
        self._open = _CALL
        return events + self._arguments(call)

    def _arguments(self, call: Mapping[str, Any]) -> list[StreamEvent]:
        json = loose.text(loose.mapping(call.get("function")).get("arguments"))
        return [ArgumentsDelta(json)] if json and self._open == _CALL else []

    def _switch(self, kind: str, start: StreamEvent) -> list[StreamEvent]:
        if self._open == kind:
            return []
        events = [*self._close(), start]
        self._open = kind
        return events

    def _close(self) -> list[StreamEvent]:
        events: list[StreamEvent] = [Signed(self._open)] if self._open in (THINKING, PLAN) else []
        self._open = ""
        return events

    def _end(self, delta: Mapping[str, Any]) -> list[StreamEvent]:
        usage = read_usage(loose.mapping(delta.get("usage")))
        events: list[StreamEvent] = [] if usage is None else [UsageSeen(usage)]
        reason = loose.text(delta.get("finish_reason"))
        if (error := delta.get("error")) or reason in BROKEN_OFF:
            return [*events, Failed(error_message(error) if error else broken_off(reason))]
        stop = stop_of(STOPS.get(reason, Stop.END), self._calls > 0)
        return [*events, *self._close(), Finished(stop), Ended()]


def _first(calls: object) -> Mapping[str, Any]:
    """A stream's tool call is one object, though its name is in the plural; some servers send a list of one."""
    return next(iter(loose.mappings(calls)), {}) if isinstance(calls, list) else loose.mapping(calls)
