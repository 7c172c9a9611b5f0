"""An Anthropic messages stream as neutral events."""

from collections.abc import Mapping
from typing import Any

import msgspec

from headgate.wire import loose
from headgate.wire.anthropic_messages.answer import STOPS, error_message, made_up_id
from headgate.wire.anthropic_messages.usage import RunningUsage
from headgate.wire.chat import Stop, stop_of
from headgate.wire.chat_stream import (
    ArgumentsDelta,
    Ended,
    Failed,
    Finished,
    Redacted,
    Signed,
    Started,
    StreamEvent,
    TextDelta,
    TextStarted,
    ThinkingDelta,
    ThinkingStarted,
    ToolCallStarted,
    Unspoken,
    UsageSeen,
)
from headgate.wire.sse import Event


class StreamReader:
    def __init__(self) -> None:
        self._id = ""
        self._usage = RunningUsage()
        self._calls = 0
        self._block = ""
        """The type of the open block; empty for one that only Anthropic has."""
        self._signature = ""
        self._stop = Stop.END
        self._stop_sequence: str | None = None

    def read(self, event: Event) -> list[StreamEvent]:
        if not event.data:
            return []
        data = loose.decode_object(event.data)
        match data.get("type"):
            case "message_start":
                return self._start(loose.mapping(data.get("message")))
            case "content_block_start":
                return [*self._close(), *self._open(loose.mapping(data.get("content_block")))]
            case "content_block_delta":
                return self._delta(loose.mapping(data.get("delta")))
            case "content_block_stop":
                return self._close()
            case "message_delta":
                delta = loose.mapping(data.get("delta"))
                self._stop = STOPS.get(loose.text(delta.get("stop_reason")), self._stop)
                self._stop_sequence = loose.text(delta.get("stop_sequence")) or None
                return self._use(data.get("usage"))
            case "message_stop":
                return [*self._close(), Finished(stop_of(self._stop, self._calls > 0), self._stop_sequence), Ended()]
            case "error":
                return [Failed(error_message(data.get("error")))]
        return []

    def _start(self, message: Mapping[str, Any]) -> list[StreamEvent]:
        self._id = loose.text(message.get("id"))
        return [*self._use(message.get("usage")), Started(self._id, loose.text(message.get("model")))]

    def _use(self, usage: object) -> list[StreamEvent]:
        seen = self._usage.add(loose.mapping(usage))
        return [] if seen is None else [UsageSeen(seen)]

    def _open(self, block: Mapping[str, Any]) -> list[StreamEvent]:
        """Blocks start empty, as a rule; what is there already is said like a delta."""
        self._block = loose.text(block.get("type"))
        match self._block:
            case "text":
                return [TextStarted(), *self._delta({"type": "text_delta", "text": block.get("text")})]
            case "thinking":
                self._signature = loose.text(block.get("signature"))
                return [ThinkingStarted(), *self._delta({"type": "thinking_delta", "thinking": block.get("thinking")})]
            case "redacted_thinking":
                return [Redacted(loose.text(block.get("data")))]
            case "tool_use":
                call_id = loose.text(block.get("id")) or made_up_id(self._id, self._calls)
                self._calls += 1
                started = ToolCallStarted(call_id, loose.text(block.get("name")))
                given = loose.mapping(block.get("input"))
                return [started, ArgumentsDelta(msgspec.json.encode(given).decode())] if given else [started]
        self._block = ""
        return [Unspoken(len(msgspec.json.encode(block)))]

    def _delta(self, delta: Mapping[str, Any]) -> list[StreamEvent]:
        kind = delta.get("type")
        text, thoughts = loose.text(delta.get("text")), loose.text(delta.get("thinking"))
        json = loose.text(delta.get("partial_json"))
        if kind == "text_delta" and self._block == "text":
            return [TextDelta(text)] if text else []
        if kind == "thinking_delta" and self._block == "thinking":
            return [ThinkingDelta(thoughts)] if thoughts else []
        if kind == "input_json_delta" and self._block == "tool_use":
            return [ArgumentsDelta(json)] if json else []
        if kind == "signature_delta" and self._block == "thinking":
            self._signature += loose.text(delta.get("signature"))
            return []
        size = len((text + thoughts + json).encode())
        return [Unspoken(size)] if size else []

    def _close(self) -> list[StreamEvent]:
        signed: list[StreamEvent] = [Signed(self._signature)] if self._block == "thinking" else []
        self._block = self._signature = ""
        return signed
