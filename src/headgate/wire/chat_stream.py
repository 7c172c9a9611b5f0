"""A streamed answer in no provider's words: what a format's stream reader yields and a stream writer takes.

Parts come one after the other: a start, its deltas, the next start. A part ends where another starts or the answer
does, so there is no event for it.
"""

from dataclasses import dataclass
from typing import Protocol

from headgate.base.errors import HeadgateError
from headgate.base.usage import Usage
from headgate.wire.chat import Stop
from headgate.wire.sse import Event


@dataclass(frozen=True, slots=True)
class Started:
    """The first event. `id` and `model` are empty where the provider gave none."""

    id: str
    model: str


@dataclass(frozen=True, slots=True)
class TextStarted:
    pass


@dataclass(frozen=True, slots=True)
class ThinkingStarted:
    pass


@dataclass(frozen=True, slots=True)
class ToolCallStarted:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    text: str


@dataclass(frozen=True, slots=True)
class Signed:
    """The signature of the thinking that is open; it comes whole, after the last of its text."""

    signature: str


@dataclass(frozen=True, slots=True)
class Redacted:
    """A whole part of thinking that only its provider can read."""

    data: str


@dataclass(frozen=True, slots=True)
class ArgumentsDelta:
    """A piece of the JSON text of the tool call that is open."""

    json: str


@dataclass(frozen=True, slots=True)
class Unspoken:
    """The provider generated something that the hub has no word for, of this many UTF-8 bytes."""

    size: int


@dataclass(frozen=True, slots=True)
class UsageSeen:
    """What the provider reported so far; the last one counts."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class Finished:
    """Why the model stopped. Usage may still follow."""

    stop: Stop
    stop_sequence: str | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """The provider said, in its format's way, that nothing follows."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The provider told an error inside its stream."""

    message: str


StreamEvent = (
    Started
    | TextStarted
    | ThinkingStarted
    | ToolCallStarted
    | TextDelta
    | ThinkingDelta
    | Signed
    | Redacted
    | ArgumentsDelta
    | Unspoken
    | UsageSeen
    | Finished
    | Ended
    | Failed
)


class StreamReader(Protocol):
    """A provider's stream, event by event. One instance per stream."""

    def read(self, event: Event) -> list[StreamEvent]:
        """Raises `UpstreamFailed` for what is no event of the format."""
        ...


class StreamWriter(Protocol):
    """A client's stream. One instance per stream; every method returns the bytes to send now."""

    def write(self, event: StreamEvent) -> bytes: ...

    def end(self, stop: Stop, stop_sequence: str | None, usage: Usage | None, *, whole: bool = True) -> bytes:
        """The end of an answer, with everything the format's clients wait for. Where it is not `whole`, `usage` is what
        the provider told on the way, and says less than what it bills."""
        ...

    def fail(self, error: HeadgateError) -> bytes:
        """The format's error event. Nothing follows it."""
        ...
