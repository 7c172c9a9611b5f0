"""What a response used: read off its events, or off the whole answer."""

from typing import Any, Final

import msgspec

from headgate.base.errors import HeadgateError
from headgate.base.usage import Usage
from headgate.wire.content import content_length, utf8_length
from headgate.wire.errors import responses_event
from headgate.wire.openai_responses.usage import read_usage
from headgate.wire.reading import ABSENT, given, read_answer, read_event
from headgate.wire.sse import Event


class _Item(msgspec.Struct, gc=False):
    """One item of what a response puts out: a message, reasoning, a call."""

    type: Any = None
    action: Any = None
    name: Any = None
    content: Any = None
    summary: Any = None
    arguments: Any = None
    input: Any = None
    code: Any = None

    def generated(self) -> int:
        """What the model wrote of it, in bytes."""
        parts = _texts(self.content) + _texts(self.summary)
        return parts + sum(map(content_length, (self.name, self.action, self.arguments, self.input, self.code)))


class _Response(msgspec.Struct, gc=False):
    usage: msgspec.Raw = ABSENT
    output: list[_Item] | None = None
    service_tier: Any = None


class _Event(msgspec.Struct, gc=False):
    type: Any = None
    delta: Any = None
    item: _Item | None = None
    response: _Response | None = None
    sequence_number: Any = None


_event: Final = msgspec.json.Decoder(_Event)
_response: Final = msgspec.json.Decoder(_Response)
_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])

_ENDS: Final = ("response.completed", "response.incomplete", "response.failed")
_BEGINNINGS: Final = ("response.created", "response.in_progress", "response.queued")


class ResponseMeter:
    """Of one answer; whole with `response.completed`, `response.incomplete` or `response.failed`.

    Reasoning is not shown, or only in summary: where it appears, tokens are hidden. So they are where the response
    `goes_on` in the background, whether or not anybody listens.
    """

    def __init__(self, *, goes_on: bool = False) -> None:
        self.usage: Usage | None = None
        self.delivered = 0
        self.hidden_tokens = goes_on
        self.complete = False
        self.failed = False
        self._sequence_number = -1
        self._begun = b""
        self._items: list[bytes] = []
        self._before_item = 0

    def answer(self, body: bytes) -> None:
        response = read_answer(_response, body)
        if response is None:
            self.delivered += len(body)
        else:
            self.delivered += sum(item.generated() for item in response.output or ())
            self._report(response)
        self.complete = True

    def event(self, event: Event) -> bool:
        data = event.data
        if not data or data == b"[DONE]":
            return True
        read = read_event(_event, data)
        if read is None:
            self.delivered += len(data)
            return True
        if type(read.sequence_number) is int:
            self._sequence_number = read.sequence_number
        kind = read.type
        if type(kind) is not str:
            return True
        if kind.endswith(".delta"):
            delta = read.delta
            self.delivered += utf8_length(delta) if type(delta) is str else content_length(delta)
        elif kind == "response.output_item.added":
            self._item_added(read.item)
        elif kind == "response.output_item.done":
            self._items.append(data)
            self._item_done(read.item)
        elif kind in _BEGINNINGS:
            self._begun = data
        elif kind in _ENDS:
            self.complete = not self.failed
            if read.response is not None:
                self._report(read.response)
        elif kind == "error" and not self.complete:
            self.failed = True
        return True

    def _item_added(self, item: _Item | None) -> None:
        self._before_item = self.delivered
        if item is not None:
            self.hidden_tokens |= item.type == "reasoning"
            self.delivered += content_length(item.name)

    def _item_done(self, item: _Item | None) -> None:
        """Not all kinds of items come in deltas; some are whole at once."""
        if item is not None:
            self.delivered = max(self.delivered, self._before_item + item.generated())

    def _report(self, response: _Response) -> None:
        actions = [(_text(item.type), _action(item)) for item in response.output or ()]
        self.hidden_tokens |= any(kind == "reasoning" for kind, _ in actions)
        usage = read_usage(given(response.usage), actions, terms=response.service_tier)
        if usage is not None:
            self.usage = usage

    def cut(self) -> bytes:
        if self.complete:
            return b""
        response = {
            **_opened(_opened(self._begun).get("response", b"")),
            "status": "incomplete",
            "incomplete_details": {"reason": "max_output_tokens"},
            "output": [done["item"] for data in self._items if "item" in (done := _opened(data))],
            "usage": None if self.usage is None else msgspec.Raw(self.usage.raw),
        }
        kind = "response.incomplete"
        members = {"type": kind, "response": response, "sequence_number": self._sequence_number + 1}
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), msgspec.json.encode(members))

    def abort(self, error: HeadgateError) -> bytes:
        return responses_event(error, self._sequence_number + 1)


def _opened(data: bytes) -> dict[str, Any]:
    """The members of an object as they came; none if it is no object."""
    members = read_event(_members, data)
    return {} if members is None else dict(members)


def _texts(parts: object) -> int:
    """Of a message or a summary: its texts, without the annotations."""
    if not isinstance(parts, list):
        return content_length(parts)
    return sum(content_length([p.get("text"), p.get("refusal")]) for p in parts if isinstance(p, dict))


def _action(item: _Item) -> str:
    return _text(item.action.get("type")) if isinstance(item.action, dict) else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
