"""A request to a provider, and its bytes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from headgate.base.header_lines import header_lines
from headgate.upstream.origin import Origin

_PATH = re.compile(rb"/[\x21\x22\x24-\x7e]*")
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_METHOD = re.compile(rb"[A-Z]+")

OURS: Final = frozenset(
    {
        b"accept-encoding",
        b"connection",
        b"content-length",
        b"expect",
        b"host",
        b"keep-alive",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Headers that say where a message ends and which way it goes: the client writes them, no one else."""


class Prepared(NamedTuple):
    """What many requests have in common: method, path and `headers`, checked and written once as how they begin."""

    headers: Sequence[tuple[bytes, bytes]]
    begin: bytes


class Request(NamedTuple):
    """`path` (with its query, if any) is appended to the origin's base path. `headers` are sent as they are, behind
    those of `prepared`, which was made for this origin, method and path."""

    origin: Origin
    method: bytes
    path: bytes
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes
    prepared: Prepared | None = None

    @property
    def all_headers(self) -> list[tuple[bytes, bytes]]:
        return [*(() if self.prepared is None else self.prepared.headers), *self.headers]


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds. `connect_s` also bounds the wait for a free connection; `idle_s` the provider's silence within its
    answer, or its not taking more of the request; `total_s` everything, reading included."""

    connect_s: float = 10
    first_byte_s: float = 600
    idle_s: float = 300
    total_s: float = 3600


def prepare(origin: Origin, method: bytes, path: bytes, headers: Sequence[tuple[bytes, bytes]]) -> Prepared:
    """How such requests begin. Raises `ValueError` for anything that could be read as another request or header."""
    if _METHOD.fullmatch(method) is None or _PATH.fullmatch(path) is None:
        raise ValueError("a request needs a method of capital letters, and a path without spaces or fragment")
    line = b"%b %b%b HTTP/1.1\r\nhost: %b\r\naccept-encoding: identity\r\n"
    return Prepared(headers, line % (method, origin.base_path, path, origin.authority) + _lines(headers))


def render_head(request: Request) -> bytes:
    """The head of the request. Raises as `prepare` does."""
    origin, method, path, headers, body, prepared = request
    begin = prepare(origin, method, path, headers).begin if prepared is None else prepared.begin + _lines(headers)
    return b"%bcontent-length: %d\r\n\r\n" % (begin, len(body))


def _lines(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    for name, _ in headers:
        _check_name(name)
    return header_lines(headers)


@lru_cache(maxsize=256)
def _check_name(name: bytes) -> None:
    """Names are few and come again with every request; values may be secrets, and are never kept."""
    if name.lower() in OURS:
        raise ValueError(f"the header {name.decode('latin-1')} is the client's own")
    if _NAME.fullmatch(name) is None:
        raise ValueError("a header name must be a token")
