"""The pepper: made once, the same ever after, never in the clear."""

import asyncio

import pytest
from sqlalchemy import Connection, select

from headgate.storage.database import Database
from headgate.storage.pepper import load_pepper, reseal_pepper
from headgate.storage.tables import setting
from headgate.tenancy.keys import PEPPER_BYTES
from headgate.tenancy.vault import CannotOpen, MasterKey, Vault

VAULT = Vault([MasterKey(b"k" * 32)])


def load(connection: Connection) -> bytes:
    return load_pepper(connection, VAULT)


async def test_it_is_made_once_and_sealed(database: Database) -> None:
    """The second start finds the first one's pepper, and the table does not show it."""
    pepper = await database.write(load)
    assert len(pepper) == PEPPER_BYTES
    assert await database.write(load) == pepper
    stored = await database.read(lambda connection: connection.execute(select(setting.c.value)).scalar_one())
    assert pepper.hex() not in stored.encode().hex()


async def test_two_nodes_that_start_together_agree(database: Database) -> None:
    """Whichever is first: both hash with the same pepper, or one node's keys would be unknown to the other."""
    peppers = await asyncio.gather(*(database.write(load) for _ in range(4)))
    assert len(set(peppers)) == 1


async def test_another_master_key_does_not_open_it(database: Database) -> None:
    """A start with the wrong master key ends here, and does not make a second pepper."""
    await database.write(load)
    with pytest.raises(CannotOpen, match="setting/api_key_pepper"):
        await database.write(lambda connection: load_pepper(connection, Vault([MasterKey(b"x" * 32)])))


async def test_it_survives_a_rotation(database: Database) -> None:
    """Under the new master key it is the same pepper: every API key stays valid."""
    pepper = await database.write(load)
    both = Vault([MasterKey(b"n" * 32), MasterKey(b"k" * 32)])
    assert await database.write(lambda connection: reseal_pepper(connection, both)) == 1
    assert await database.write(lambda connection: reseal_pepper(connection, both)) == 0
    assert await database.read(lambda connection: load_pepper(connection, Vault([MasterKey(b"n" * 32)]))) == pepper


async def test_without_one_there_is_nothing_to_reseal(database: Database) -> None:
    """A rotation before the first start has no pepper to move, and makes none."""
    assert await database.write(lambda connection: reseal_pepper(connection, VAULT)) == 0
