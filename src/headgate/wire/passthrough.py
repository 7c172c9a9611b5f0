"""The dialogue of two sides that speak the same format: bytes pass untouched, but for what is named here.

Up: the model's name, the members in `overrides`, and `stream_options.include_usage` where the format needs it to report
usage at all. Down: nothing, except that a chunk which only reports usage is withheld from a client that did not ask.
Every event is read once, by the format's meter, and none is written again.
"""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from headgate.base.errors import HeadgateError, UpstreamFailed
from headgate.base.usage import Usage
from headgate.wire.dialogue import Format, Head, Outgoing
from headgate.wire.document import Document
from headgate.wire.sse import Event, EventSplitter


class Meter(Protocol):
    """Reads one answer as it passes. An event it cannot read is forwarded all the same, and counted in full."""

    usage: Usage | None
    complete: bool
    failed: bool
    """Whether the provider told an error inside its stream."""

    @property
    def delivered(self) -> int:
        """As `Dialogue.delivered`."""
        ...

    @property
    def hidden_tokens(self) -> bool:
        """As `Dialogue.hidden_tokens`."""
        ...

    def answer(self, body: bytes) -> None:
        """A whole answer. Raises `UpstreamFailed` if it is not JSON."""
        ...

    def event(self, event: Event) -> bool:
        """One event of a stream. False if the client did not ask for it."""
        ...

    def cut(self) -> bytes:
        """What ends the stream here, as if the length limit had been reached."""
        ...

    def abort(self, error: HeadgateError) -> bytes:
        """The format's error event."""
        ...


class Language(Format, Protocol):
    """A format that can pass through: a client's and a provider's at once."""

    path: str
    """Of the endpoint that clients call, below `/v1`. Where a provider takes the format is the catalog's to say."""
    headers: tuple[tuple[bytes, bytes], ...]

    def changes(self, document: Document, head: Head) -> dict[str, bytes | None]:
        """Members that must be other than the client sent them so that usage is reported."""
        ...

    def meter(self, document: Document, head: Head, model: str) -> Meter:
        """For one answer of this model."""
        ...


class Passthrough:
    """A `Dialogue`. `ask_usage` is false for providers that refuse the member which asks for usage in a stream."""

    def __init__(
        self,
        language: Language,
        document: Document,
        head: Head,
        model: str,
        overrides: Mapping[str, bytes | None],
        ask_usage: bool,
        hidden_tokens: bool,
    ) -> None:
        self._language = language
        self._document = document
        self._head = head
        self._model = model
        self._overrides = overrides
        self._ask_usage = ask_usage
        self._hidden_tokens = hidden_tokens
        self._meter = language.meter(document, head, model)
        self._splitter = EventSplitter()

    @property
    def usage(self) -> Usage | None:
        return self._meter.usage

    @property
    def delivered(self) -> int:
        return self._meter.delivered

    @property
    def hidden_tokens(self) -> bool:
        return self._hidden_tokens or self._meter.hidden_tokens

    @property
    def complete(self) -> bool:
        return self._meter.complete

    @property
    def passed_error(self) -> bool:
        return self._meter.failed

    def request(self) -> Outgoing:
        changes = self._language.changes(self._document, self._head) if self._ask_usage else {}
        if self._model != self._head.model:
            changes["model"] = msgspec.json.encode(self._model)
        changes |= self._overrides
        body = self._document.replace(changes) if changes else self._document.body
        return Outgoing(body, self._language.headers)

    def answer(self, status: int, body: bytes) -> bytes:
        """Raises `UpstreamFailed` if it is not JSON."""
        self._meter.answer(body)
        return body

    def error(self, status: int, body: bytes) -> bytes:
        """As it came; a body that the client's SDK could not read is replaced by one that says so."""
        if body.lstrip()[:1] == b"{":
            try:
                _check.decode(body)
            except (msgspec.DecodeError, RecursionError):
                pass
            else:
                return body
        message = f"The provider answered with status {status} and no readable error."
        return self._language.error_body(UpstreamFailed(message, details={"status": status}))

    def feed(self, data: bytes) -> bytes:
        events = self._splitter.feed(data)
        if len(events) == 1:
            event = events[0]
            return event.raw if self._meter.event(event) else b""
        return b"".join([event.raw for event in events if self._meter.event(event)])

    def finish(self) -> bytes:
        told = self._meter.failed
        left = b"".join([event.raw for event in self._splitter.finish() if self._meter.event(event)])
        if not self._meter.complete:
            self._meter.failed = told  # an error in what is left over never reaches the client
            raise UpstreamFailed("The provider's stream ended before its answer was whole.")
        return left

    def cut(self) -> bytes:
        return b"" if self._meter.failed else self._meter.cut()

    def abort(self, error: HeadgateError) -> bytes:
        return b"" if self._meter.failed else self._meter.abort(error)


_check = msgspec.json.Decoder(msgspec.Raw)
"""Raw: the syntax is checked and nothing is built."""
