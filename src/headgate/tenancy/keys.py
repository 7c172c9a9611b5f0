"""API keys: `hg_<id>_<secret>_<crc>`, shown once, kept only as an HMAC.

    id      16 characters, 80 random bits: says which key it is, in logs and in support mail, and is no secret
    secret  32 characters, 160 random bits
    crc     7 characters, the CRC-32 of all before it

The checksum lets a mistyped or made-up key be refused without a look-up, and lets a secret scanner tell a real key
from a look-alike offline. Underscores, because a double click then selects the whole key. An HMAC and not a slow
password hash, because 160 random bits cannot be guessed and the look-up is on the path of every first call.
"""

import hashlib
import hmac
import os
import re
import zlib
from dataclasses import dataclass, field

from headgate.base.ids import BASE32_ALPHABET, RandomBytes, base32

PREFIX = "hg"
PEPPER_BYTES = 32

_ID_LENGTH = 16
_SECRET_LENGTH = 32
_CRC_LENGTH = 7
_ID_START = len(PREFIX) + 1
_SHAPE = re.compile(
    f"({PREFIX}_([{BASE32_ALPHABET}]{{{_ID_LENGTH}}})_[{BASE32_ALPHABET}]{{{_SECRET_LENGTH}}})"
    f"_([{BASE32_ALPHABET}]{{{_CRC_LENGTH}}})",
    re.ASCII,
)
_LIKE_OURS = re.compile(f"{PREFIX}_[{BASE32_ALPHABET}]{{{_ID_LENGTH}}}_")
_CHOSEN = re.compile(r"[!-~]{12,256}")


@dataclass(frozen=True, slots=True)
class ParsedKey:
    """A well-formed key: that says nothing yet about whether it exists."""

    id: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class MintedKey:
    """What creating a key yields: `text` goes to its owner once; `id`, `hash` and `masked` are stored."""

    id: str
    text: str = field(repr=False)
    hash: bytes = field(repr=False)
    masked: str


def mint(pepper: bytes, random_bytes: RandomBytes = os.urandom, key_id: str | None = None) -> MintedKey:
    """A new key; with `key_id` another secret for the one that has it."""
    if key_id is None:
        key_id = base32(int.from_bytes(random_bytes(_ID_LENGTH * 5 // 8)), _ID_LENGTH)
    secret = base32(int.from_bytes(random_bytes(_SECRET_LENGTH * 5 // 8)), _SECRET_LENGTH)
    body = f"{PREFIX}_{key_id}_{secret}"
    return adopt(ParsedKey(key_id, f"{body}_{_checksum(body)}"), pepper)


def adopt(key: ParsedKey, pepper: bytes) -> MintedKey:
    """A key that was made elsewhere (the operator's `HEADGATE_ADMIN_KEY`), as it is stored."""
    return MintedKey(key.id, key.text, hash_key(key.text, pepper), mask(key.text))


def parse(text: str) -> ParsedKey | None:
    """The key, or None where shape or checksum is wrong: such a text cannot be a key of any Headgate."""
    match = _SHAPE.fullmatch(text)
    if match is None or _checksum(match[1]) != match[3]:
        return None
    return ParsedKey(match[2], text)


def chosen(text: str) -> ParsedKey | None:
    """A key that an operator made up for the first start: 12 to 256 printable characters, its id derived from them.

    None for anything else, and for what begins like a key of ours: that is a mistyped one.
    """
    if _CHOSEN.fullmatch(text) is None or _LIKE_OURS.match(text) is not None:
        return None
    digest = hashlib.sha256(text.encode()).digest()
    return ParsedKey(base32(int.from_bytes(digest[: _ID_LENGTH * 5 // 8]), _ID_LENGTH), text)


def claimed_id(text: str) -> str:
    """The part that stands where a key has its id. Only `hash_key` can tell whether the rest is right as well."""
    return text[_ID_START : _ID_START + _ID_LENGTH]


def hash_key(text: str, pepper: bytes) -> bytes:
    """HMAC-SHA256 of the whole key, 32 bytes: what is stored and looked up.

    The pepper is not in the same row: who reads the table cannot test candidate keys against it.
    """
    return hmac.digest(pepper, text.encode(), "sha256")


def mask(text: str) -> str:
    """`hg_ab12…9xyz`: enough for its owner to recognise it, useless to anybody else."""
    return f"{text[: len(PREFIX) + 5]}…{text[-4:]}"


def _checksum(body: str) -> str:
    return base32(zlib.crc32(body.encode()), _CRC_LENGTH)
