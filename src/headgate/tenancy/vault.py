"""Secrets at rest: AES-256-GCM under a master key, each bound to its organization and its row.

A sealed record is

    1 byte version | 8 bytes master key id | 12 bytes nonce | ciphertext and 16 bytes tag

and organization and row are its associated data: a record copied to another row, or to another organization's,
does not open. Nonces are random, which is safe for 2^32 seals under one master key.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from headgate.base.errors import HeadgateError
from headgate.base.ids import RandomBytes

_VERSION = 1
_ID_BYTES = 8
_NONCE_BYTES = 12
_TAG_BYTES = 16
_HEAD_BYTES = 1 + _ID_BYTES
_MIN_BYTES = _HEAD_BYTES + _NONCE_BYTES + _TAG_BYTES


class CannotOpen(HeadgateError):
    """A stored secret does not open: its master key is not here, or it is damaged or not this row's."""

    status, type, code = 500, "vault_error", "vault"


class BadMasterKey(HeadgateError):
    """A master key is not what it must be. The message never shows it."""

    status, type, code = 500, "vault_error", "master_key"


@dataclass(frozen=True, slots=True)
class MasterKey:
    """32 random bytes. `id` is derived from them, so that a key needs no name and a record finds its key."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != 32:
            raise BadMasterKey(f"A master key is 32 bytes; this one has {len(self.secret)}.")

    @classmethod
    def generate(cls, random_bytes: RandomBytes = os.urandom) -> Self:
        return cls(random_bytes(32))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """From base64, standard or URL-safe. Raises `BadMasterKey`."""
        try:
            return cls(base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True))
        except binascii.Error:
            raise BadMasterKey("A master key is 32 bytes in base64; this one is not base64.") from None

    def to_text(self) -> str:
        return base64.b64encode(self.secret).decode()

    @property
    def id(self) -> bytes:
        return hashlib.sha256(b"headgate master key id\0" + self.secret).digest()[:_ID_BYTES]


class Vault:
    """Seals under the first of its master keys, opens under any of them: the others are on their way out."""

    def __init__(self, keys: Iterable[MasterKey], random_bytes: RandomBytes = os.urandom) -> None:
        keys = tuple(keys)
        if not keys:
            raise BadMasterKey("There is no master key.")
        self._current = keys[0].id
        self._ciphers = {key.id: AESGCM(key.secret) for key in keys}
        self._random_bytes = random_bytes

    def seal(self, plaintext: bytes, organization_id: str, row: str) -> bytes:
        """The record to store in that row. `row` names table, row and column, for example `integration/int_1/key`."""
        nonce = self._random_bytes(_NONCE_BYTES)
        ciphertext = self._ciphers[self._current].encrypt(nonce, plaintext, _bound_to(organization_id, row))
        return bytes((_VERSION,)) + self._current + nonce + ciphertext

    def open(self, record: bytes, organization_id: str, row: str) -> bytes:
        """What was sealed for exactly this organization and row. Raises `CannotOpen`, which shows none of it."""
        key_id = key_id_of(record, row)
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise CannotOpen(
                f"The secret of {row} was sealed under master key {key_id.hex()}, which is not here. "
                "Add that key behind the current one in HEADGATE_MASTER_KEY, or restore the file master.key."
            )
        nonce, ciphertext = record[_HEAD_BYTES : _HEAD_BYTES + _NONCE_BYTES], record[_HEAD_BYTES + _NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, ciphertext, _bound_to(organization_id, row))
        except InvalidTag:
            raise CannotOpen(
                f"The secret of {row} is damaged or belongs to another row. Set the credential again."
            ) from None

    def needs_rewrap(self, record: bytes) -> bool:
        """Whether the record is still under a master key other than the current one."""
        return key_id_of(record, "a record") != self._current

    def rewrap(self, record: bytes, organization_id: str, row: str) -> bytes:
        """The same secret under the current master key."""
        return self.seal(self.open(record, organization_id, row), organization_id, row)


def key_id_of(record: bytes, row: str) -> bytes:
    """The id of the master key that it was sealed under. Raises `CannotOpen` for what is no sealed record."""
    if len(record) < _MIN_BYTES or record[0] != _VERSION:
        raise CannotOpen(f"The secret of {row} is not a sealed record of version {_VERSION}.")
    return record[1:_HEAD_BYTES]


def _bound_to(organization_id: str, row: str) -> bytes:
    # The length in front keeps ("a|b", "c") apart from ("a", "b|c").
    return f"{len(organization_id)}|{organization_id}|{row}".encode()
