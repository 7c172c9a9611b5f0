"""An answer that is kept while it goes to the client, byte for byte as the client gets it."""

from headgate.base.errors import HeadgateError
from headgate.dataplane.wrapped import Wrapped
from headgate.wire.dialogue import Dialogue


class Recorded(Wrapped):
    """A `Dialogue` around another. Nothing is kept of an answer of more than `largest` bytes, nor of one that was not
    brought to its own end."""

    def __init__(self, inner: Dialogue, largest: int) -> None:
        super().__init__(inner)
        self._largest = largest
        self._parts: list[bytes] = []
        self._size = 0
        self._ended = False

    @property
    def whole(self) -> bool:
        """Whether the provider's answer came to its end, and was not cut short by us."""
        return self._ended and self.complete

    @property
    def body(self) -> bytes | None:
        """The whole answer; None: there is none, or it was too large."""
        return b"".join(self._parts) if self.whole and self._size <= self._largest else None

    def answer(self, status: int, body: bytes) -> bytes:
        out = self._inner.answer(status, body)
        self._ended = True
        return self._kept(out)

    def feed(self, data: bytes) -> bytes:
        return self._kept(self._inner.feed(data))

    def finish(self) -> bytes:
        out = self._inner.finish()
        self._ended = True
        return self._kept(out)

    def cut(self) -> bytes:
        self._ended = False
        return self._inner.cut()

    def abort(self, error: HeadgateError) -> bytes:
        self._ended = False
        return self._inner.abort(error)

    def _kept(self, out: bytes) -> bytes:
        if out:
            self._size += len(out)
            if self._size <= self._largest:
                self._parts.append(out)
            else:
                self._parts.clear()
        return out
