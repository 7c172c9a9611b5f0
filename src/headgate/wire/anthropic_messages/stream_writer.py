"""Neutral events as an Anthropic messages stream: numbered blocks, each started and stopped, between the message's own
start, delta and stop.
"""

from typing import Any

import msgspec

from headgate.base.errors import HeadgateError
from headgate.base.usage import Usage
from headgate.wire.anthropic_messages.answer import STOP_REASONS, usage_object
from headgate.wire.chat import Envelope, Stop
from headgate.wire.chat_stream import (
    ArgumentsDelta,
    Redacted,
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
from headgate.wire.errors import anthropic_event


class StreamWriter:
    def __init__(self, envelope: Envelope) -> None:
        self._id, self._model = envelope.id, envelope.model
        self._usage: Usage | None = None
        self._begun = False
        self._open = False
        self._index = -1

    def write(self, event: StreamEvent) -> bytes:
        match event:
            case UsageSeen(usage=usage):
                self._usage = usage
            case Started(id=answer_id, model=model):
                self._id, self._model = answer_id or self._id, model or self._model
                return self._begin()
            case TextStarted():
                return self._start_block({"type": "text", "text": ""})
            case ThinkingStarted():
                return self._start_block({"type": "thinking", "thinking": "", "signature": ""})
            case Redacted(data=data):
                return self._start_block({"type": "redacted_thinking", "data": data})
            case ToolCallStarted(id=call_id, name=name):
                return self._start_block({"type": "tool_use", "id": call_id, "name": name, "input": {}})
            case TextDelta(text=text):
                return self._delta({"type": "text_delta", "text": text})
            case ThinkingDelta(text=text):
                return self._delta({"type": "thinking_delta", "thinking": text})
            case Signed(signature=signature):
                return self._delta({"type": "signature_delta", "signature": signature})
            case ArgumentsDelta(json=json):
                return self._delta({"type": "input_json_delta", "partial_json": json})
            case _:
                pass
        return b""

    def end(self, stop: Stop, stop_sequence: str | None, usage: Usage | None, *, whole: bool = True) -> bytes:
        counts = usage_object(usage)
        del counts["cache_creation"]  # a message's delta tells totals only
        delta = {"stop_reason": STOP_REASONS[stop], "stop_sequence": stop_sequence}
        return b"".join(
            (
                self._begin(),
                self._close_block(),
                _event("message_delta", {"delta": delta, "usage": counts}),
                _event("message_stop", {}),
            )
        )

    def fail(self, error: HeadgateError) -> bytes:
        return anthropic_event(error)

    def _begin(self) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        message: dict[str, Any] = {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage_object(self._usage),
        }
        return _event("message_start", {"message": message})

    def _start_block(self, block: dict[str, Any]) -> bytes:
        before = self._begin() + self._close_block()
        self._index += 1
        self._open = True
        return before + _event("content_block_start", {"index": self._index, "content_block": block})

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return _event("content_block_delta", {"index": self._index, "delta": delta})

    def _close_block(self) -> bytes:
        if not self._open:
            return b""
        self._open = False
        return _event("content_block_stop", {"index": self._index})


def _event(kind: str, members: dict[str, Any]) -> bytes:
    return b"event: " + kind.encode() + b"\ndata: " + msgspec.json.encode({"type": kind, **members}) + b"\n\n"
