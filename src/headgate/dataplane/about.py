"""The dialogue of a call about what is kept at a provider: everything passes, and nothing is billed."""

from collections.abc import Callable
from typing import Final

import msgspec

from headgate.base.errors import HeadgateError, UpstreamFailed
from headgate.base.usage import Usage
from headgate.wire.dialogue import Outgoing
from headgate.wire.errors import openai_body

_NOTHING: Final = Usage({})


class _Made(msgspec.Struct):
    id: str


_made: Final = msgspec.json.Decoder(_Made)
_anything: Final = msgspec.json.Decoder(msgspec.Raw)


class About:
    """A `Dialogue`. `note` is told of a good answer before the client has it."""

    def __init__(
        self, outgoing: Outgoing, note: Callable[[bytes], None] | None = None, *, unknown: bool = False
    ) -> None:
        """`unknown`: what it will use is not known when it is answered."""
        self._outgoing = outgoing
        self._note = note
        self.usage: Usage | None = None if unknown else _NOTHING
        self.delivered = 0
        self.hidden_tokens = unknown
        self.complete = False
        self.passed_error = False
        self.shown = b""
        """The answer, once there is a good one."""

    def request(self) -> Outgoing:
        return self._outgoing

    def answer(self, status: int, body: bytes) -> bytes:
        """Raises `UpstreamFailed` if it is not JSON, or has no id where one was made."""
        try:
            _anything.decode(body)
        except (msgspec.DecodeError, RecursionError):
            raise UpstreamFailed("The provider's answer is not valid JSON.") from None
        if self._note is not None:
            self._note(body)
        self.complete, self.shown = True, body
        return body

    def error(self, status: int, body: bytes) -> bytes:
        try:
            _anything.decode(body)
        except (msgspec.DecodeError, RecursionError):
            message = f"The provider answered with status {status} and no readable error."
            return openai_body(UpstreamFailed(message, details={"status": status}))
        return body

    def feed(self, data: bytes) -> bytes:
        self.delivered += len(data)
        return data

    def finish(self) -> bytes:
        self.complete = True
        return b""

    def cut(self) -> bytes:
        return b""

    def abort(self, error: HeadgateError) -> bytes:
        return b""


def id_in(body: bytes) -> str:
    """Of what was made. Raises `UpstreamFailed` for an answer without one."""
    try:
        return _made.decode(body).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UpstreamFailed("The provider's answer has no id.") from None
