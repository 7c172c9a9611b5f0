"""A response taken out of bytes, cut anywhere. Sans-io: no socket, no loop.

Every response has a reader of its own, so what belongs to one exchange cannot end up in another.
"""

from typing import Final

import httptools

HEAD_LIMIT: Final = 64 * 1024
"""The largest response head, and the most bytes in a row that bring no body (1xx, trailers, chunk extensions)."""
HEADER_LIMIT: Final = 200

_BODILESS: Final = (204, 304)
_CODINGS: Final = frozenset({b"transfer-encoding", b"content-encoding"})


class Malformed(Exception):
    """These bytes are no answer, or one that is not taken. The text says why and quotes nothing."""


class Reader:
    """Head and body of one response. `feed` until `complete`; at the end of the connection `end` says if it was whole.

    Interim (1xx) answers are skipped. `status` is 0 until the head is complete. `keep_alive` is whether another
    exchange may follow on the connection: never after bytes that nobody asked for.
    """

    __slots__ = (
        "_barren",
        "_fed",
        "_interim",
        "_parser",
        "_until_close",
        "chunks",
        "complete",
        "first",
        "headers",
        "keep_alive",
        "size",
        "status",
    )

    def __init__(self) -> None:
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._fed = 0
        self._barren = 0
        self._interim = False
        self._until_close = False
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        """Names in lower case. Trailers are not among them."""
        self.first: dict[bytes, bytes] = {}
        """The first of each name."""
        self.chunks: list[bytes] = []
        """The body as far as it came and was not taken."""
        self.size = 0
        self.complete = False
        self.keep_alive = False

    def feed(self, data: bytes) -> None:
        """Raises `Malformed`; the body before that point stays readable."""
        parser = self._parser
        if parser is None:
            raise Malformed("bytes after the end")
        self._fed += len(data)
        self._barren += len(data)
        try:
            parser.feed_data(data)
        except httptools.HttpParserError as error:
            if not self.complete:
                self._parser = None
                raise _explained(error) from None
            self.keep_alive = False  # the answer is whole; what follows it is not ours to guess
        except httptools.HttpParserUpgrade:
            self._parser = None
            raise Malformed("the provider switches protocols") from None
        if self.complete:
            self._parser = None  # parser and reader refer to each other: without this, only the collector frees them
        elif self._barren > HEAD_LIMIT:
            self._parser = None
            raise Malformed(f"more than {HEAD_LIMIT} bytes of head or framing")

    def end(self) -> bool:
        """The provider closed the connection. True if that ended the answer, False if it cut it off."""
        if self._until_close:
            self.complete = True
        self._parser = None
        return self.complete

    def take(self) -> bytes:
        """All of the body that came since the last time."""
        chunks, self.chunks, self.size = self.chunks, [], 0
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self.complete:
            raise Malformed("a second answer to one request")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.status == 0:
            self.headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        assert self._parser is not None
        status = self._parser.get_status_code()
        if not 100 <= status <= 599:
            raise Malformed(f"status {status}")
        if status < 200:
            self.headers.clear()
            self._interim = True
            return
        headers = self.headers
        if len(headers) > HEADER_LIMIT:
            raise Malformed(f"more than {HEADER_LIMIT} headers")
        if self._fed > HEAD_LIMIT and sum(len(name) + len(value) + 4 for name, value in headers) > HEAD_LIMIT:
            raise Malformed(f"a head of more than {HEAD_LIMIT} bytes")
        self.first = first = dict(reversed(headers))
        if not _CODINGS.isdisjoint(first):
            self._check_codings()
        framed = status in _BODILESS or b"content-length" in first or b"transfer-encoding" in first
        self._until_close = not framed
        self.keep_alive = framed and self._parser.should_keep_alive()
        self.status = status

    def _check_codings(self) -> None:
        for name, value in self.headers:
            if name == b"transfer-encoding" and value.lower() != b"chunked":
                raise Malformed("a transfer encoding other than chunked")
            if name == b"content-encoding" and value.lower() != b"identity":
                raise Malformed("a compressed body that was not asked for")

    def on_body(self, data: bytes) -> None:
        self.chunks.append(data)
        self.size += len(data)
        self._barren = 0

    def on_message_complete(self) -> None:
        if self._interim:
            self._interim = False
        else:
            self.complete = True


def _explained(error: httptools.HttpParserError) -> Malformed:
    if isinstance(error.__context__, Malformed):
        return error.__context__
    return Malformed(f"no HTTP: {error}")
