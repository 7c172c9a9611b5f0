"""What a message used: read off its events, or off the whole answer."""

from typing import Any, Final

import msgspec

from headgate.base.errors import HeadgateError
from headgate.base.usage import Usage
from headgate.wire.anthropic_messages.usage import RunningUsage, usage_json
from headgate.wire.content import content_length, utf8_length
from headgate.wire.errors import anthropic_event
from headgate.wire.reading import ABSENT, given, read_answer, read_event
from headgate.wire.sse import Event


class _Block(msgspec.Struct, gc=False):
    """A content block, or a delta of one."""

    type: Any = None
    text: Any = None
    thinking: Any = None
    name: Any = None
    input: Any = None
    partial_json: Any = None
    content: Any = None
    stop_reason: Any = None


class _Report(msgspec.Struct, gc=False):
    usage: msgspec.Raw = ABSENT


class _Message(_Report, gc=False):
    content: list[_Block] | None = None


class _Event(msgspec.Struct, gc=False):
    type: Any = None
    index: Any = None
    delta: _Block | None = None
    content_block: _Block | None = None
    message: _Message | None = None
    usage: msgspec.Raw = ABSENT


_event: Final = msgspec.json.Decoder(_Event)
_message: Final = msgspec.json.Decoder(_Message)
_report: Final = msgspec.json.Decoder(_Report)

_TOOL_USES: Final = ("tool_use", "server_tool_use", "mcp_tool_use")
_SUMMARIES: Final = ("compaction", "compaction_delta")
_THINKING: Final = ("thinking", "redacted_thinking")


class MessagesMeter:
    """Of one answer; whole with `message_stop`.

    Thinking is billed in full and shown abridged, or not at all: where a model thinks, tokens are hidden.
    """

    def __init__(self, model: str) -> None:
        self.usage: Usage | None = None
        self.complete = False
        self.failed = False
        self._model = model
        self._running = RunningUsage()
        self._started = False
        self._open: dict[int, None] = {}
        self._stopped = False
        self._delivered = 0
        self._hidden_tokens = False
        self._unmeasured = b""

    @property
    def delivered(self) -> int:
        """Of a whole answer it is measured when somebody asks, which they do when there is no usage."""
        self._measure()
        return self._delivered

    @property
    def hidden_tokens(self) -> bool:
        self._measure()
        return self._hidden_tokens

    def _measure(self) -> None:
        if self._unmeasured:
            message = read_event(_message, self._unmeasured)
            if message is None:
                self._delivered += len(self._unmeasured)
            else:
                for block in message.content or ():
                    self._generated(block)
            self._unmeasured = b""

    def answer(self, body: bytes) -> None:
        report = read_answer(_report, body)
        if report is not None:
            self._report(report.usage)
        self._unmeasured = body
        self.complete = True

    def event(self, event: Event) -> bool:
        if not event.data:
            return True
        read = read_event(_event, event.data)
        if read is None:
            self._delivered += len(event.data)
            return True
        match read.type:
            case "content_block_delta":
                if read.delta is not None:
                    self._generated(read.delta)
            case "content_block_start":
                self._start_block(read)
            case "content_block_stop":
                self._open.pop(_index(read), None)
            case "message_start":
                self._started = True
                if read.message is not None:
                    self._report(read.message.usage)
            case "message_delta":
                self._report(read.usage)
                self._stopped = read.delta is not None and read.delta.stop_reason is not None
            case "message_stop":
                self.complete = not self.failed
            case "error" if not self.complete:
                self.failed = True
        return True

    def _start_block(self, read: _Event) -> None:
        self._open[_index(read)] = None
        if read.content_block is not None:
            self._generated(read.content_block)

    def _generated(self, block: _Block) -> None:
        if type(block.text) is str:
            self._delivered += utf8_length(block.text)
        elif block.partial_json is not None:
            self._delivered += content_length(block.partial_json)
        elif block.type in _TOOL_USES:
            self._delivered += content_length(block.name)
            if block.input:
                self._delivered += len(msgspec.json.encode(block.input))
        elif block.thinking is not None:
            self._delivered += content_length(block.thinking)
        elif block.type in _SUMMARIES:
            self._delivered += content_length(block.content)
        if block.type in _THINKING:
            self._hidden_tokens = True

    def _report(self, raw: msgspec.Raw) -> None:
        usage = self._running.add(given(raw))
        if usage is not None:
            self.usage = usage

    def cut(self) -> bytes:
        if self.complete:
            return b""
        pieces = [] if self._started else [self._message_start()]
        pieces += [_written("content_block_stop", {"index": index}) for index in self._open]
        if not self._stopped:
            delta = {"stop_reason": "max_tokens", "stop_sequence": None}
            usage = msgspec.Raw(usage_json(self._running.members))
            pieces.append(_written("message_delta", {"delta": delta, "usage": usage}))
        pieces.append(_written("message_stop", {}))
        return b"".join(pieces)

    def _message_start(self) -> bytes:
        message: dict[str, Any] = {
            "id": "msg_cut",
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 0, "output_tokens": 0},
        }
        return _written("message_start", {"message": message})

    def abort(self, error: HeadgateError) -> bytes:
        return anthropic_event(error)


def _index(read: _Event) -> int:
    return read.index if type(read.index) is int else 0


def _written(name: str, members: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), msgspec.json.encode({"type": name, **members}))
