"""One call between a client's format and a provider's: what goes up, what comes down, what was used.

The pipeline holds one `Dialogue` per attempt and knows nothing else of formats. Where both sides speak the same format
the bytes pass untouched but for the named changes; otherwise every message and event is translated. Plain and streamed
answers run through the same reading of usage.
"""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from headgate.base.errors import HeadgateError
from headgate.base.usage import Usage
from headgate.wire.document import Document


class Head(msgspec.Struct, frozen=True):
    """What policy reads of a request, whatever its format. Absent is None; nothing here is guessed."""

    model: str | None
    stream: bool = False
    max_output_tokens: int | None = None
    """The limit the client set, per choice, under whichever name its format has for it."""
    choices: int = 1
    user: str | None = None
    metadata: Mapping[str, str] = msgspec.field(default_factory=dict)


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """What to send to the provider; where to, the catalog says."""

    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    """Headers the format itself demands (`anthropic-version`), never credentials."""
    method: bytes = b"POST"
    path: bytes | None = None
    """Below the base URL; None: where the catalog says that the provider takes the format."""


class Dialogue(Protocol):
    """One attempt. Methods are called in the order request, then answer | error | (feed*, finish | cut | abort)."""

    @property
    def usage(self) -> Usage | None:
        """What the provider reported so far, disjoint meters; None while it reported nothing."""
        ...

    @property
    def delivered(self) -> int:
        """UTF-8 bytes of generated content (text, tool arguments, reasoning) so far: bounds the visible tokens."""
        ...

    @property
    def hidden_tokens(self) -> bool:
        """Whether the provider may have billed tokens it did not deliver (reasoning that is not shown, for example)."""
        ...

    @property
    def complete(self) -> bool:
        """Whether the provider said, in its format's way, that the answer is whole."""
        ...

    @property
    def passed_error(self) -> bool:
        """Whether what `feed` returned tells of an error, in the provider's own words."""
        ...

    def request(self) -> Outgoing:
        """Raises `InvalidRequest` naming the field when the provider's format cannot express the request."""
        ...

    def answer(self, status: int, body: bytes) -> bytes:
        """The whole 2xx JSON answer, in the client's format."""
        ...

    def error(self, status: int, body: bytes) -> bytes:
        """The provider's error answer, in the client's format. The HTTP status stays the provider's."""
        ...

    def feed(self, data: bytes) -> bytes:
        """Bytes of the provider's stream, cut anywhere; returns what can go to the client now, maybe nothing."""
        ...

    def finish(self) -> bytes:
        """The provider's stream ended: what is still owed. Raises `UpstreamFailed` if the answer is not whole."""
        ...

    def cut(self) -> bytes:
        """End the client's stream cleanly, as the format ends an answer that reached its length limit, with usage."""
        ...

    def abort(self, error: HeadgateError) -> bytes:
        """The event by which the client's format tells an error inside a stream; empty if the provider told one.

        Never `[DONE]`.
        """
        ...


class Format(Protocol):
    """A client's or provider's language. Stateless; one instance each, in `registry.py`."""

    name: str
    """For example `openai_chat`; catalog files say which formats a provider speaks, and at which path."""

    def head(self, document: Document) -> Head:
        """Raises `InvalidRequest` naming the field if a field that policy needs has the wrong type."""
        ...

    def error_body(self, error: HeadgateError) -> bytes:
        """A gateway error as this format's clients expect it."""
        ...
