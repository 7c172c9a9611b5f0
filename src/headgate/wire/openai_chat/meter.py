"""What a chat or text completion used: read off its chunks, or off the whole answer."""

from typing import Any, Final

import msgspec

from headgate.base.errors import HeadgateError
from headgate.base.usage import Usage
from headgate.wire.content import content_length, utf8_length
from headgate.wire.errors import openai_event
from headgate.wire.openai_chat.usage import read_usage
from headgate.wire.reading import ABSENT, NOTHING, given, read_answer, read_event
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

    def generated(self) -> int:
        """What the model wrote, in bytes."""
        content = self.content
        length = utf8_length(content) if type(content) is str else content_length(content)
        if self.tool_calls:
            for call in self.tool_calls:
                length += _called(call.function) + content_length(call.custom)
        if self.reasoning_content is not None or self.reasoning is not None:
            # Those who send both say the same twice.
            length += content_length(self.reasoning_content or self.reasoning)
        if self.refusal is not None:
            length += content_length(self.refusal)
        if self.function_call is not None:
            length += _called(self.function_call)
        if self.audio is not None or self.images is not None:
            length += content_length(self.audio) + content_length(self.images)
        return length


class _Choice(msgspec.Struct, gc=False):
    index: Any = None
    delta: _Message | None = None
    finish_reason: Any = None
    message: _Message | None = None
    text: Any = None

    def generated(self) -> int:
        """What the model wrote, in bytes."""
        message = self.delta or self.message
        return content_length(self.text) if message is None else message.generated()


class _Groq(msgspec.Struct, gc=False):
    usage: msgspec.Raw = ABSENT


class _Report(msgspec.Struct, gc=False):
    """What a chunk or a whole answer says of usage."""

    usage: msgspec.Raw = ABSENT
    x_groq: _Groq | None = None
    service_tier: Any = None

    def raw(self) -> bytes:
        """The usage object, empty if there is none."""
        if self.usage not in NOTHING:
            return bytes(self.usage)
        return b"" if self.x_groq is None else given(self.x_groq.usage)


class _Chunk(_Report, gc=False):
    choices: list[_Choice] | None = None
    error: Any = None

    def generated(self) -> int:
        """What the model wrote, in bytes."""
        return sum(choice.generated() for choice in self.choices or ())


_chunk: Final = msgspec.json.Decoder(_Chunk)
_report: Final = msgspec.json.Decoder(_Report)
_frame: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


class CompletionMeter:
    """Of one answer. `object_name` is what its chunks call themselves, `asked` whether the client wants a usage chunk.

    A stream is whole with `[DONE]`, which some providers leave out, or when every choice has its finish reason.
    """

    def __init__(self, object_name: str, choices: int, asked: bool, hidden_tokens: bool) -> None:
        self.usage: Usage | None = None
        self.hidden_tokens = hidden_tokens
        self.complete = False
        self.failed = False
        self._object_name = object_name
        self._choices = choices
        self._asked = asked
        self._finished: dict[int, bool] = {}  # of each choice seen
        self._last = b""
        self._done = False
        self._delivered = 0
        self._unmeasured = b""

    @property
    def delivered(self) -> int:
        """Of a whole answer it is measured when somebody asks, which they do when there is no usage."""
        if self._unmeasured:
            whole = read_event(_chunk, self._unmeasured)
            self._delivered += len(self._unmeasured) if whole is None else whole.generated()
            self._unmeasured = b""
        return self._delivered

    def answer(self, body: bytes) -> None:
        report = read_answer(_report, body)
        if report is not None:
            self._report(report)
        self._unmeasured = body
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
            self._delivered += len(data)
            return True
        self._last = data
        for choice in chunk.choices or ():
            self._choice(choice)
        reported = (chunk.usage is not ABSENT or chunk.x_groq is not None) and self._report(chunk)
        if (chunk.error is not None or event.name == b"error") and not self._done:
            self.failed, self.complete = True, False
        return self._asked or not reported or chunk.choices != []

    def _choice(self, choice: _Choice) -> None:
        self._delivered += choice.generated()
        index = choice.index if type(choice.index) is int else 0
        if choice.finish_reason is None:
            self._finished.setdefault(index, False)
        else:
            self._finished[index] = True
            self.complete = not self.failed and sum(self._finished.values()) >= self._choices

    def _report(self, report: _Report) -> bool:
        """Whether it reports usage."""
        raw = report.raw()
        if raw:
            self.usage = read_usage(raw, terms=report.service_tier) or self.usage
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


def _called(function: _Function | None) -> int:
    return 0 if function is None else content_length(function.name) + content_length(function.arguments)
