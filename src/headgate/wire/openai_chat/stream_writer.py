"""Neutral events as a chat completions stream: the role first, tool calls by index, a finish chunk, usage, `[DONE]`."""

from typing import Any

import msgspec

from headgate.base.errors import HeadgateError
from headgate.base.usage import Usage
from headgate.wire.chat import Envelope, RedactedThinking, Stop, Thinking
from headgate.wire.chat_stream import (
    ArgumentsDelta,
    Redacted,
    Signed,
    Started,
    StreamEvent,
    TextDelta,
    ThinkingDelta,
    ThinkingStarted,
    ToolCallStarted,
)
from headgate.wire.errors import openai_event
from headgate.wire.openai_chat.answer import FINISH_REASONS, thinking_block, usage_object


class StreamWriter:
    def __init__(self, envelope: Envelope, include_usage: bool) -> None:
        self._id, self._model, self._created = envelope.id, envelope.model, envelope.created
        self._include_usage = include_usage
        self._begun = False
        self._thoughts: list[str] = []
        self._blocks = 0
        self._call = -1
        self._bare_call = False
        """Whether the open tool call has no arguments yet: clients parse them, and the empty string is no JSON."""

    def write(self, event: StreamEvent) -> bytes:
        match event:
            case Started(id=answer_id, model=model):
                self._id, self._model = answer_id or self._id, model or self._model
                return self._begin()
            case TextDelta(text=text):
                return self._begin() + self._delta({"content": text})
            case ThinkingStarted():
                self._thoughts.clear()
            case ThinkingDelta(text=text):
                self._thoughts.append(text)
                return self._begin() + self._delta({"reasoning_content": text})
            case Signed(signature=signature):
                return self._begin() + self._block(Thinking("".join(self._thoughts), signature))
            case Redacted(data=data):
                return self._begin() + self._block(RedactedThinking(data))
            case ToolCallStarted(id=call_id, name=name):
                closed = self._begin() + self._close_call()
                self._call += 1
                self._bare_call = True
                function = {"name": name, "arguments": ""}
                return closed + self._call_delta({"id": call_id, "type": "function", "function": function})
            case ArgumentsDelta(json=json):
                self._bare_call = False
                return self._call_delta({"function": {"arguments": json}})
            case _:
                pass
        return b""

    def end(self, stop: Stop, stop_sequence: str | None, usage: Usage | None, *, whole: bool = True) -> bytes:
        pieces = [self._begin(), self._close_call(), self._delta({}, FINISH_REASONS[stop])]
        if self._include_usage and usage is not None and whole:  # clients expect it at the end of whole answers only
            pieces.append(self._chunk([], usage_object(usage)))
        return b"".join([*pieces, b"data: [DONE]\n\n"])

    def fail(self, error: HeadgateError) -> bytes:
        return openai_event(error)

    def _begin(self) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        return self._delta({"role": "assistant", "content": ""})

    def _block(self, part: Thinking | RedactedThinking) -> bytes:
        block = {"index": self._blocks, **thinking_block(part)}
        self._blocks += 1
        return self._delta({"thinking_blocks": [block]})

    def _call_delta(self, call: dict[str, Any]) -> bytes:
        return self._delta({"tool_calls": [{"index": self._call, **call}]})

    def _close_call(self) -> bytes:
        if not self._bare_call:
            return b""
        self._bare_call = False
        return self._call_delta({"function": {"arguments": "{}"}})

    def _delta(self, delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
        return self._chunk([{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}], None)

    def _chunk(self, choices: list[dict[str, Any]], usage: dict[str, Any] | None) -> bytes:
        chunk: dict[str, Any] = {
            "id": self._id,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": self._model,
            "choices": choices,
        }
        if self._include_usage:
            chunk["usage"] = usage
        return b"data: " + msgspec.json.encode(chunk) + b"\n\n"
