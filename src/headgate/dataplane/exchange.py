"""One HTTP call as the pipeline sees it: the port between the data plane and who serves it.

`direct.py` is its adapter on the gateway's own connections, `asgi.py` the one for any other server.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from headgate.base.errors import TooLarge, UnsupportedMedia


class ClientGone(Exception):
    """The client has hung up: there is nobody to answer."""


class ClientStalled(ClientGone):
    """The client stopped taking its answer, and was cut off for it."""


class Exchange(Protocol):
    """A request whose head has been checked, and the answer to it: `start`, `write`*, `end`; or `respond`.

    Header names are in lower case.
    """

    method: str
    path: str
    """Percent-decoded: what is routed and authorised is this, never the URL again."""
    query: str
    http_version: str
    started: bool
    """The head of the answer has been sent: an error can only be told inside the body."""
    gone: bool
    """The client has hung up. Known at once for FIN and RST, whether or not anything is being sent."""

    def header(self, name: bytes) -> bytes | None:
        """The first header of this name."""
        ...

    def headers_all(self, name: bytes) -> list[bytes]: ...

    async def body(self, limit: int, deadline_s: float) -> bytes:
        """The whole body. Raises `TooLarge`, `TimedOut`, `UnsupportedMedia` (a Content-Encoding) or `ClientGone`."""
        ...

    async def start(self, status: int, headers: Sequence[tuple[bytes, bytes]], lines: bytes = b"") -> None:
        """The head, which may wait to go out with the first of the body. `lines` are more headers, written by the
        gateway itself as they stand in a head, each with its line end. All sending raises `ClientGone` once the client
        has left, `ClientStalled` if it was cut."""
        ...

    async def write(self, data: bytes) -> None:
        """Send a part of the body; returns when the client's connection takes more."""
        ...

    def push(self, data: bytes) -> bool:
        """Send a part of the body at once, without waiting. False: not now, and nothing was sent: `write` it."""
        ...

    async def end(self) -> None: ...

    async def respond(
        self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes, lines: bytes = b""
    ) -> None:
        """A whole answer; its content-length is added."""
        ...

    def on_gone(self, callback: Callable[[], None]) -> None:
        """Call back when the client hangs up before the answer is complete; at once if it already has."""
        ...


def refuse_encoded(exchange: Exchange) -> None:
    """Raises `UnsupportedMedia`: a megabyte of gzip may be a gigabyte of JSON."""
    if exchange.header(b"content-encoding") is None:
        return
    if any(coding.lower() != b"identity" for coding in exchange.headers_all(b"content-encoding")):
        raise UnsupportedMedia("Send the body without a Content-Encoding.", param="content-encoding")


def too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is larger than the {limit} bytes taken here.", details={"limit_bytes": limit})
