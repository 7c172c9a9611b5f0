"""The secret that every form of a session carries, so that no other site can send one.

It is masked anew for each answer: answers are compressed, and what stands in them twice, once as the secret and once as
somebody's guess in the address, would else make them shorter (BREACH).
"""

import hashlib
import hmac
from typing import Final

from headgate.base.ids import RandomBytes

_BYTES: Final = 32


def csrf_of(token: str) -> bytes:
    """From the cookie's, which no other site can read."""
    return hmac.digest(token.encode(), b"csrf", hashlib.sha256)


def masked(secret: bytes, random_bytes: RandomBytes) -> str:
    """As a page has it."""
    mask = random_bytes(_BYTES)
    return (mask + _xor(secret, mask)).hex()


def is_ours(text: str, secret: bytes) -> bool:
    """Whether a form brought this secret back, under whatever mask."""
    try:
        brought = bytes.fromhex(text)
    except ValueError:
        return False
    return len(brought) == 2 * _BYTES and hmac.compare_digest(_xor(brought[:_BYTES], brought[_BYTES:]), secret)


def _xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one) ^ int.from_bytes(other)).to_bytes(_BYTES)
