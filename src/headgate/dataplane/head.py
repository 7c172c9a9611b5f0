"""Whether a request's head means one thing only. Sans-io."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple
from urllib.parse import unquote

from headgate.base.errors import HeadersTooLarge, InvalidRequest

_HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~-]+)(?::[0-9]{1,5})?")
_TARGET = re.compile(rb"/[\x21\x22\x24-\x7e]*")
_ABSOLUTE = re.compile(rb"(https?)://([^/?#@]+)(/[\x21\x22\x24-\x7e]*)", re.IGNORECASE)
_DEFAULT_PORTS = {b"http": b":80", b"https": b":443"}


class CheckedHead(NamedTuple):
    """`length` is what Content-Length announces, 0 without one."""

    length: int
    chunked: bool
    expects_continue: bool
    """The client waits to be told to go on before it sends its body."""


def check_head(
    target: bytes, headers: Sequence[tuple[bytes, bytes]], version: str, max_bytes: int, max_headers: int
) -> CheckedHead:
    """Bounds, Host, target and framing of a head that the parser has taken; header names in lower case.

    Raises `HeadersTooLarge` or `InvalidRequest`. HTTP/1.0 may come without Host.
    """
    if len(headers) > max_headers:
        raise HeadersTooLarge(f"The request has more than {max_headers} headers.")
    if len(target) + sum(map(len, chain.from_iterable(headers))) + 4 * len(headers) > max_bytes:
        raise HeadersTooLarge(f"The request's head is larger than {max_bytes} bytes.")
    named = dict(headers)
    if len(named) != len(headers):  # a name came twice
        _refuse_doubled(headers)
    host, length, coding = named.get(b"host"), named.get(b"content-length"), named.get(b"transfer-encoding")
    if coding is not None:
        if coding.lower() != b"chunked":
            raise InvalidRequest("The only Transfer-Encoding taken is `chunked`.", param="transfer-encoding")
        if length is not None:
            raise InvalidRequest("The request says in two ways where its body ends.", param="content-length")
        if version == "1.0":
            raise InvalidRequest("HTTP/1.0 knows no Transfer-Encoding.", param="transfer-encoding")
    expects = named.get(b"expect")
    _check_target(target, host, version)
    return CheckedHead(
        0 if length is None else _length(length),
        coding is not None,
        expects is not None and expects.lower() == b"100-continue",
    )


def _refuse_doubled(headers: Sequence[tuple[bytes, bytes]]) -> None:
    """Names that come more than once: of those that say where a request goes and where it ends, none may."""
    seen = Counter([name for name, _ in headers])
    if seen[b"host"] > 1:
        raise InvalidRequest("The request has more than one Host header.", param="host")
    if seen[b"transfer-encoding"] > 1:
        raise InvalidRequest("The only Transfer-Encoding taken is `chunked`.", param="transfer-encoding")
    if seen[b"content-length"] > 1:
        raise InvalidRequest("The request says in two ways where its body ends.", param="content-length")


class Target(NamedTuple):
    """`path` is percent-decoded, `raw_path` as it was sent; `query` is without its question mark."""

    path: str
    raw_path: bytes
    query: bytes


def read_target(target: bytes) -> Target:
    """The parts of a target that `check_head` has passed."""
    if not target.startswith(b"/"):
        absolute = _ABSOLUTE.fullmatch(target)
        assert absolute is not None
        target = absolute[3]
    raw_path, _, query = target.partition(b"?")
    path = raw_path.decode("ascii")
    return Target(unquote(path) if "%" in path else path, raw_path, query)


def _length(value: bytes) -> int:
    if not value.isdigit() or len(value) > 18:
        raise InvalidRequest("Content-Length must be a number of bytes.", param="content-length")
    return int(value)


def _check_target(target: bytes, host: bytes | None, version: str) -> None:
    if host is None:
        if version != "1.0":
            raise InvalidRequest("The request has no Host header.", param="host")
    elif _HOST.fullmatch(host) is None:
        raise InvalidRequest("The Host header is not a host name.", param="host")
    if _TARGET.fullmatch(target) is not None:
        return
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None:
        raise InvalidRequest("The request's target must be a path.", param="path")
    scheme, named = absolute[1].lower(), absolute[2].lower()
    default = _DEFAULT_PORTS[scheme]
    if host is not None and named.removesuffix(default) != host.lower().removesuffix(default):
        raise InvalidRequest("The request's target and its Host header name different hosts.", param="host")
