"""Headers as bytes of an HTTP head."""

from collections.abc import Sequence
from typing import Final

_IN_A_LINE: Final = bytes({0x09, *range(0x20, 0x100)} - {0x7F})
"""What may stand in a header's line (RFC 9110, 5.5)."""
_line: Final = b": ".join


def header_pairs(lines: bytes) -> list[tuple[bytes, bytes]]:
    """The headers that such lines are of."""
    pairs = [line.partition(b": ") for line in lines.split(b"\r\n")[:-1]]
    return [(name, value) for name, _, value in pairs]


def header_lines(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """A line for each header. Raises `ValueError` where a value would end its line and begin another.

    Names are the caller's to vouch for.
    """
    lines = b"\r\n".join([*map(_line, headers), b""])
    if lines.translate(None, _IN_A_LINE) != b"\r\n" * len(headers):
        raise ValueError("the value of a header must be one line without control characters")
    return lines
