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


class Request(NamedTuple):
    """`path` (with its query, if any) is appended to the origin's base path. `headers` are sent as they are."""

    origin: Origin
    method: bytes
    path: bytes
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds. `connect_s` also bounds the wait for a free connection; `idle_s` the provider's silence within its
    answer, or its not taking more of the request; `total_s` everything, reading included."""

    connect_s: float = 10
    first_byte_s: float = 600
    idle_s: float = 300
    total_s: float = 3600


def render_head(request: Request) -> bytes:
    """The head of the request. Raises `ValueError` for anything that could be read as another request or header."""
    origin = request.origin
    if _METHOD.fullmatch(request.method) is None or _PATH.fullmatch(request.path) is None:
        raise ValueError("a request needs a method of capital letters, and a path without spaces or fragment")
    for name, _ in request.headers:
        _check_name(name)
    return b"%b %b%b HTTP/1.1\r\nhost: %b\r\naccept-encoding: identity\r\n%bcontent-length: %d\r\n\r\n" % (
        request.method,
        origin.base_path,
        request.path,
        origin.authority,
        header_lines(request.headers),
        len(request.body),
    )


@lru_cache(maxsize=256)
def _check_name(name: bytes) -> None:
    """Names are few and come again with every request; values may be secrets, and are never kept."""
    if name.lower() in OURS:
        raise ValueError(f"the header {name.decode('latin-1')} is the client's own")
    if _NAME.fullmatch(name) is None:
        raise ValueError("a header name must be a token")
