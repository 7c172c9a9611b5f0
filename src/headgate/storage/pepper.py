"""The installation's own secrets: random, made once, sealed by the vault, the same for all nodes.

They are the pepper of the API keys' hashes, and the key under which the bodies of calls are kept and links to exports
are signed. They are not derived from the master key: rotating that one must not revoke every API key, nor seal every
body anew.
"""

import base64
import os
from typing import Final

from sqlalchemy import Connection, select, text, update

from headgate.base.ids import RandomBytes
from headgate.storage.tables import setting
from headgate.tenancy.keys import PEPPER_BYTES
from headgate.tenancy.vault import Vault, key_id_of

_PEPPER: Final = "api_key_pepper"
_LOG_KEY: Final = "log_key"
_LOG_KEY_BYTES: Final = 32
_OF_ALL: Final = ""
"""They belong to no single organization."""


def load_pepper(connection: Connection, vault: Vault, random_bytes: RandomBytes = os.urandom) -> bytes:
    """The pepper, made now where there is none. Raises `CannotOpen` where the master key is another one."""
    return _load(connection, vault, _PEPPER, PEPPER_BYTES, random_bytes)


def load_log_key(connection: Connection, vault: Vault, random_bytes: RandomBytes = os.urandom) -> bytes:
    """The same for the key of bodies and links: 32 bytes."""
    return _load(connection, vault, _LOG_KEY, _LOG_KEY_BYTES, random_bytes)


def sealed_under(connection: Connection) -> bytes | None:
    """The id of the master key that the installation is under. None: it was never started."""
    record = _read(connection, _PEPPER)
    return None if record is None else key_id_of(record, _row(_PEPPER))


def reseal_pepper(connection: Connection, vault: Vault) -> int:
    """Bring them under the vault's current master key. How many needed it."""
    count = 0
    for name in (_PEPPER, _LOG_KEY):
        record = _read(connection, name)
        if record is not None and vault.needs_rewrap(record):
            fresh = base64.b64encode(vault.rewrap(record, _OF_ALL, _row(name))).decode()
            connection.execute(update(setting).where(setting.c.name == name).values(value=fresh))
            count += 1
    return count


def _load(connection: Connection, vault: Vault, name: str, length: int, random_bytes: RandomBytes) -> bytes:
    if (record := _read(connection, name)) is None:
        fresh = vault.seal(random_bytes(length), _OF_ALL, _row(name))
        # Two nodes may start at the same moment: the first one's stays, and the second one reads it.
        connection.execute(
            text("INSERT INTO setting (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING"),
            {"name": name, "value": base64.b64encode(fresh).decode()},
        )
        record = _read(connection, name)
        assert record is not None
    return vault.open(record, _OF_ALL, _row(name))


def _row(name: str) -> str:
    return f"setting/{name}"


def _read(connection: Connection, name: str) -> bytes | None:
    value = connection.execute(select(setting.c.value).where(setting.c.name == name)).scalar_one_or_none()
    return None if value is None else base64.b64decode(value)
