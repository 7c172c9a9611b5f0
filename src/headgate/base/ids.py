"""Identifiers: sortable by time for what happens, random for what is created."""

import os
import re
from collections.abc import Callable

BASE32_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32, lower case: no i, l, o, u
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


def request_id(now_ns: int, random_bytes: RandomBytes = os.urandom) -> str:
    """`req_` and 26 characters: 48 bits of milliseconds, 80 bits of chance. Sorts by time; unique without a server."""
    value = (now_ns // 1_000_000 % (1 << 48)) << 80 | int.from_bytes(random_bytes(10))
    return "req_" + base32(value, 26)


def object_id(prefix: str, random_bytes: RandomBytes = os.urandom) -> str:
    """`<prefix>_` and 20 random characters (100 bits), for rows an administrator creates."""
    return f"{prefix}_{base32(int.from_bytes(random_bytes(13)) >> 4, 20)}"


def slug_from(name: str) -> str:
    """The name in lower case, everything but letters and digits as single hyphens. Empty if nothing is left."""
    return _SLUG.sub("-", name.lower()).strip("-")
