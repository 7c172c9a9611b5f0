"""Identifiers: sortable by time for what happens, random for what is created."""

import os
import re
from collections.abc import Callable

BASE32_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32, lower case: no i, l, o, u
_TOKEN_LENGTH = 40
_MILLISECONDS = (1 << 48) - 1
_CALL_ID = re.compile(rb"[!-~]{1,128}")
_SLUG = re.compile(r"[^a-z0-9]+")

RandomBytes = Callable[[int], bytes]
"""Where randomness comes from: `os.urandom` in production, a seeded source in tests."""


def base32(value: int, length: int) -> str:
    """The low `5 * length` bits of `value` as exactly `length` characters of Crockford's alphabet, lower case."""
    digits = []
    for _ in range(length):
        value, digit = divmod(value, 32)
        digits.append(BASE32_ALPHABET[digit])
    return "".join(reversed(digits))


def new_token(random_bytes: RandomBytes) -> str:
    """200 random bits for a link or a cookie: who has it may do what it is for, so only its hash is kept."""
    return base32(int.from_bytes(random_bytes(_TOKEN_LENGTH * 5 // 8)), _TOKEN_LENGTH)


class BufferedRandom:
    """`RandomBytes` that asks the operating system once for many: its call costs more than all the rest of an id."""

    def __init__(self, source: RandomBytes = os.urandom, size: int = 4096) -> None:
        self._source = source
        self._size = size
        self._bytes = b""
        self._at = 0

    def __call__(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._bytes):
            self._bytes, self._at, end = self._source(max(self._size, count)), 0, count
        taken, self._at = self._bytes[self._at : end], end
        return taken


def request_id(now_ns: int, random_bytes: RandomBytes = os.urandom) -> str:
    """`req_` and 32 hexadecimal digits: 48 bits of milliseconds, 80 bits of chance. Sorts by time; needs no server."""
    return f"req_{now_ns // 1_000_000 & _MILLISECONDS:012x}{random_bytes(10).hex()}"


def call_id(given: bytes | None, otherwise: str) -> str:
    """What the caller calls its call, or its trace: 1 to 128 visible ASCII characters. Else `otherwise`."""
    return given.decode() if given is not None and _CALL_ID.fullmatch(given) else otherwise


def object_id(prefix: str, random_bytes: RandomBytes = os.urandom) -> str:
    """`<prefix>_` and 20 random characters (100 bits), for rows an administrator creates."""
    return f"{prefix}_{base32(int.from_bytes(random_bytes(13)) >> 4, 20)}"


def slug_from(name: str) -> str:
    """The name in lower case, everything but letters and digits as single hyphens. Empty if nothing is left."""
    return _SLUG.sub("-", name.lower()).strip("-")
