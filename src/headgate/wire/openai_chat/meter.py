"""What a chat or text completion used: read off its chunks, or off the whole answer."""

from typing import Any, Final

import msgspec

from headgate.base.errors import HeadgateError
from headgate.base.usage import Usage
from headgate.wire.content import content_length, utf8_length
from headgate.wire.errors import openai_event
from headgate.wire.openai_chat.usage import read_usage
from headgate.wire.reading import ABSENT, given, read_answer, read_event
from headgate.wire.sse import Event


class _Function(msgspec.Struct, gc=False):
    name: Any = None
    arguments: Any = None


class _ToolCall(msgspec.Struct, gc=False):
    function: _Function | None = None
    custom: Any = None


class _Message(msgspec.Struct, gc=False):
    """A delta, or the message of a whole answer: what a model may have generated, under all its names."""

    content: Any = None
    refusal: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    tool_calls: list[_ToolCall] | None = None
    function_call: _Function | None = None
    audio: Any = None
    images: Any = None


class _Choice(msgspec.Struct, gc=False):
    index: Any = None
    delta: _Message | None = None
    message: _Message | None = None
    text: Any = None
    finish_reason: Any = None


class _Groq(msgspec.Struct, gc=False):
    usage: msgspec.Raw = ABSENT


class _Chunk(msgspec.Struct, gc=False):
    choices: list[_Choice] | None = None
    usage: msgspec.Raw = ABSENT
    x_groq: _Groq | None = None
    service_tier: Any = None
    error: Any = None


_chunk: Final = msgspec.json.Decoder(_Chunk)
_frame: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


class CompletionMeter:
    """Of one answer. `object_name` is what its chunks call themselves, `asked` whether the client wants a usage chunk.

    A stream is whole with `[DONE]`, which some providers leave out, or when every choice has its finish reason.
    """

    def __init__(self, object_name: str, choices: int, asked: bool, hidden_tokens: bool) -> None:
        self.usage: Usage | None = None
        self.delivered = 0
        self.hidden_tokens = hidden_tokens
        self.complete = False
        self.failed = False
        self._object_name = object_name
        self._choices = choices
        self._asked = asked
        self._finished: dict[int, bool] = {}  # of each choice seen
        self._last = b""
        self._done = False

    def answer(self, body: bytes) -> None:
        whole = read_answer(_chunk, body)
        if whole is None:
            self.delivered += len(body)
        else:
            self._read(whole)
        self.complete = True

    def event(self, event: Event) -> bool:
        data = event.data
        if not data:
            return True
        if data == b"[DONE]":
            self._done = True
            self.complete = not self.failed
            return True
        chunk = read_event(_chunk, data)
        if chunk is None:
            self.delivered += len(data)
            return True
        self._last = data
        reported = self._read(chunk)
        if chunk.error is not None or event.name == b"error":
            self.failed, self.complete = True, False
        return self._asked or not reported or chunk.choices != []

    def _read(self, chunk: _Chunk) -> bool:
        """Whether the chunk reports usage."""
        for choice in chunk.choices or ():
            message = choice.delta or choice.message
            if message is not None:
                self.delivered += _generated(message)
            elif choice.text is not None:
                self.delivered += content_length(choice.text)
            index = choice.index if type(choice.index) is int else 0
            if choice.finish_reason is None:
                self._finished.setdefault(index, False)
            else:
                self._finished[index] = True
                self.complete = not self.failed and sum(self._finished.values()) >= self._choices
        raw = given(chunk.usage) or (b"" if chunk.x_groq is None else given(chunk.x_groq.usage))
        if raw:
            self.usage = read_usage(raw, terms=chunk.service_tier) or self.usage
        return bool(raw)

    def cut(self) -> bytes:
        if self._done:
            return b""
        last = read_event(_frame, self._last) or {}
        frame: dict[str, Any] = {n: last[n] for n in ("id", "created", "model", "system_fingerprint") if n in last}
        frame["object"] = self._object_name
        unfinished = [index for index, finished in self._finished.items() if not finished] if self._finished else [0]
        chunks = [{**frame, "choices": [self._cut_choice(index)]} for index in unfinished]
        if unfinished and self._asked and self.usage is not None:
            chunks.append({**frame, "choices": [], "usage": msgspec.Raw(self.usage.raw)})
        return b"".join([b"data: %b\n\n" % msgspec.json.encode(chunk) for chunk in chunks]) + b"data: [DONE]\n\n"

    def _cut_choice(self, index: int) -> dict[str, Any]:
        empty: dict[str, Any] = {"text": ""} if self._object_name == "text_completion" else {"delta": {}}
        return {"index": index, **empty, "logprobs": None, "finish_reason": "length"}

    def abort(self, error: HeadgateError) -> bytes:
        return openai_event(error)


def _generated(message: _Message) -> int:
    content = message.content
    length = utf8_length(content) if type(content) is str else content_length(content)
    if message.tool_calls:
        for call in message.tool_calls:
            length += _called(call.function) + content_length(call.custom)
    if message.reasoning_content is not None or message.reasoning is not None:
        # Those who send both say the same twice.
        length += content_length(message.reasoning_content or message.reasoning)
    if message.refusal is not None:
        length += content_length(message.refusal)
    if message.function_call is not None:
        length += _called(message.function_call)
    if message.audio is not None or message.images is not None:
        length += content_length(message.audio) + content_length(message.images)
    return length


def _called(function: _Function | None) -> int:
    return 0 if function is None else content_length(function.name) + content_length(function.arguments)
