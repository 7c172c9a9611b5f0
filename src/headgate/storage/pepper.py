"""The pepper of the API keys' hashes: random, made once, sealed by the vault, the same for all nodes.

It is not derived from the master key: rotating that one must not revoke every API key.
"""

import base64
import os
from typing import Final

from sqlalchemy import Connection, select, text, update

from headgate.base.ids import RandomBytes
from headgate.storage.tables import setting
from headgate.tenancy.keys import PEPPER_BYTES
from headgate.tenancy.vault import Vault

_NAME: Final = "api_key_pepper"
_ROW: Final = f"setting/{_NAME}"
_OF_ALL: Final = ""
"""It belongs to no single organization."""


def load_pepper(connection: Connection, vault: Vault, random_bytes: RandomBytes = os.urandom) -> bytes:
    """The pepper, made now where there is none. Raises `CannotOpen` where the master key is another one."""
    if (record := _read(connection)) is None:
        fresh = vault.seal(random_bytes(PEPPER_BYTES), _OF_ALL, _ROW)
        # Two nodes may start at the same moment: the first one's stays, and the second one reads it.
        connection.execute(
            text("INSERT INTO setting (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING"),
            {"name": _NAME, "value": base64.b64encode(fresh).decode()},
        )
        record = _read(connection)
        assert record is not None
    return vault.open(record, _OF_ALL, _ROW)


def reseal_pepper(connection: Connection, vault: Vault) -> int:
    """Bring it under the vault's current master key. 1 if that was needed, else 0."""
    record = _read(connection)
    if record is None or not vault.needs_rewrap(record):
        return 0
    fresh = base64.b64encode(vault.rewrap(record, _OF_ALL, _ROW)).decode()
    connection.execute(update(setting).where(setting.c.name == _NAME).values(value=fresh))
    return 1


def _read(connection: Connection) -> bytes | None:
    value = connection.execute(select(setting.c.value).where(setting.c.name == _NAME)).scalar_one_or_none()
    return None if value is None else base64.b64decode(value)
