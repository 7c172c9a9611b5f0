"""What a dialect is, and the pieces all of them use."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import msgspec

from headgate.base import usage as meters
from headgate.simulator import tokens
from headgate.simulator.answer import Answer, Counts
from headgate.simulator.ask import Ask, Json, ProviderError

Headers = Mapping[str, str]
"""Request headers by lower-case name."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A part of a body that goes out in one piece, and what it delivers: so many tokens of a meter.

    `last` marks what says that the answer is whole (`[DONE]`, `message_stop` ...), and nothing else.
    """

    data: bytes
    meter: str = meters.OUTPUT
    tokens: int = 0
    last: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """All that a dialect needs to put an answer into bytes. `told` is the usage as the caller is told it, if at all."""

    id: str
    created: int
    """Seconds since 1970."""
    ask: Ask
    answer: Answer
    told: Counts | None
    delta_bytes: int


class Dialect(Protocol):
    """One format of one provider's API. Stateless."""

    name: ClassVar[str]
    bills_cache_writes: ClassVar[bool]
    reports_reasoning: ClassVar[bool]
    """Whether reasoning tokens are told apart from the other output."""
    stream_type: ClassVar[str]

    def credential(self, headers: Headers, query: Mapping[str, str]) -> str | None:
        """The credential where this dialect carries it, or None."""
        ...

    def ask(self, body: Json, headers: Headers, target: str) -> Ask:
        """Raises `ProviderError`. `target` is the part of the path that names the model, where the path does."""
        ...

    def plain(self, reply: Reply) -> bytes: ...

    def frames(self, reply: Reply) -> Iterator[Frame]: ...

    def error(self, error: ProviderError) -> bytes:
        """The body of an error answer."""
        ...

    def error_event(self, error: ProviderError) -> bytes:
        """How an error is told when the answer has begun."""
        ...


def to_json(value: Any) -> bytes:
    """Compact UTF-8 JSON, characters as they are (not escaped)."""
    return msgspec.json.encode(value)


def data_event(value: Any) -> bytes:
    return b"data: " + msgspec.json.encode(value) + b"\n\n"


def named_event(name: str, value: Json) -> bytes:
    """An event whose type is also the payload's first member, as Anthropic and OpenAI Responses send them."""
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode({"type": name, **value}) + b"\n\n"


def spoken(text: str, delta_bytes: int) -> Iterator[tuple[str, int]]:
    """The text piece by piece with the tokens each adds; they sum up to the text's own count."""
    weight = counted = 0
    for piece in tokens.pieces(text, delta_bytes):
        weight += len(piece.encode())
        total = -(-weight // tokens.BYTES_PER_TOKEN)
        yield piece, total - counted
        counted = total


def bearer(headers: Headers) -> str | None:
    """The token of `Authorization: Bearer`, if there is one."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() or None if scheme.lower() == "bearer" else None


def input_total(told: Counts) -> int:
    return sum(told.get(meter, 0) for meter in meters.INPUT_METERS)


def output_total(told: Counts) -> int:
    return sum(told.get(meter, 0) for meter in meters.OUTPUT_METERS)
