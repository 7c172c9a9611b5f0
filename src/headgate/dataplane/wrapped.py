"""A dialogue around another, which does all that it is asked to; what goes round it changes some of that."""

from headgate.base.errors import HeadgateError
from headgate.base.usage import Usage
from headgate.wire.dialogue import Dialogue, Outgoing


class Wrapped:
    """A `Dialogue`."""

    def __init__(self, inner: Dialogue) -> None:
        self._inner = inner

    @property
    def usage(self) -> Usage | None:
        return self._inner.usage

    @property
    def delivered(self) -> int:
        return self._inner.delivered

    @property
    def hidden_tokens(self) -> bool:
        return self._inner.hidden_tokens

    @property
    def complete(self) -> bool:
        return self._inner.complete

    @property
    def passed_error(self) -> bool:
        return self._inner.passed_error

    def request(self) -> Outgoing:
        return self._inner.request()

    def answer(self, status: int, body: bytes) -> bytes:
        return self._inner.answer(status, body)

    def error(self, status: int, body: bytes) -> bytes:
        return self._inner.error(status, body)

    def feed(self, data: bytes) -> bytes:
        return self._inner.feed(data)

    def finish(self) -> bytes:
        return self._inner.finish()

    def cut(self) -> bytes:
        return self._inner.cut()

    def abort(self, error: HeadgateError) -> bytes:
        return self._inner.abort(error)
