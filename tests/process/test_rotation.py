"""Rotation of the master key: nothing is lost, whatever happens in the middle of it."""

import asyncio
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Connection

from headgate.base.errors import Conflict
from headgate.bootstrap import database_url
from headgate.process.data_dir import DataDirLock
from headgate.process.master_key import load_master_keys, read_master_keys, save_master_keys
from headgate.process.rotation import rotate
from headgate.settings import Settings
from headgate.storage.database import open_database
from headgate.storage.migrate import upgrade
from headgate.storage.pepper import load_pepper
from headgate.storage.stores import SqlStores
from headgate.tenancy import audit
from headgate.tenancy.integration import Integration, IntegrationModel
from headgate.tenancy.organization import Organization
from headgate.tenancy.stores import Page
from headgate.tenancy.vault import CannotOpen, MasterKey, Vault

KEY, HEADERS = b"sk-the-provider-credential", b'{"x-organization":"o"}'
MODEL_HEADERS = b'{"authorization":"of the model"}'
ALL = {KEY, HEADERS, MODEL_HEADERS, None}
T = TypeVar("T")


async def in_database(settings: Settings, function: Callable[[Connection], T]) -> T:
    database = await open_database(database_url(settings))
    try:
        return await database.write(function)
    finally:
        await database.close()


async def installation(settings: Settings) -> bytes:
    """One organization, two integrations with and one without secrets, a pepper. Answers the pepper."""
    database = await open_database(database_url(settings))
    await upgrade(database)
    await database.close()
    vault = Vault(load_master_keys(settings))

    def fill(connection: Connection) -> bytes:
        stores = SqlStores(connection)
        stores.organizations.add(Organization(id="org_1", name="Example", created_at=1, updated_at=1))
        for number in (1, 2, 3):
            row = Integration(
                id=f"int_{number}",
                organization_id="org_1",
                slug=f"provider-{number}",
                name=f"Provider {number}",
                kind="openai",
                created_at=number,
                updated_at=1,
            )
            if number < 3:
                row = Integration(
                    **{name: getattr(row, name) for name in ("id", "organization_id", "slug", "name", "kind")},
                    sealed_key=vault.seal(KEY, "org_1", row.key_row),
                    sealed_headers=vault.seal(HEADERS, "org_1", row.headers_row),
                    created_at=number,
                    updated_at=1,
                )
            stores.integrations.add(row)
        blank = IntegrationModel(integration_id="int_3", slug="own", enabled=True, created_at=1, updated_at=1)
        sealed = vault.seal(MODEL_HEADERS, "org_1", blank.headers_row)
        stores.integrations.save_model(replace(blank, sealed_headers=sealed))
        return load_pepper(connection, vault)

    return await in_database(settings, fill)


async def secrets_under(settings: Settings, keys: tuple[MasterKey, ...]) -> tuple[set[bytes | None], bytes]:
    """What can be opened with these keys: the integrations' secrets and the pepper."""
    vault = Vault(keys)

    def opened(connection: Connection) -> tuple[set[bytes | None], bytes]:
        found: set[bytes | None] = set()
        for each in SqlStores(connection).integrations.find("org_1", Page())[0]:
            found.add(None if each.sealed_key is None else vault.open(each.sealed_key, "org_1", each.key_row))
            found.add(
                None if each.sealed_headers is None else vault.open(each.sealed_headers, "org_1", each.headers_row)
            )
            for model in SqlStores(connection).integrations.models(each.id):
                assert model.sealed_headers is not None
                found.add(vault.open(model.sealed_headers, "org_1", model.headers_row))
        return found, load_pepper(connection, vault)

    return await in_database(settings, opened)


async def test_afterwards_the_new_key_opens_everything_and_the_old_one_nothing(tmp_path: Path) -> None:
    """All six secrets move, the file holds the new key alone, and the audit log says so."""
    settings = Settings(data_dir=tmp_path)
    pepper = await installation(settings)
    (old,) = read_master_keys(settings)
    done = await rotate(settings)
    assert (done.resealed, done.resumed, done.in_variable) == (6, False, False)
    (new,) = read_master_keys(settings)
    assert new == done.current != old
    assert await secrets_under(settings, (new,)) == (ALL, pepper)
    with pytest.raises(CannotOpen):
        await secrets_under(settings, (old,))
    entries = await in_database(settings, lambda connection: SqlStores(connection).audit.after("org_1", 0, 100))
    assert [(entry.action, entry.body) for entry in entries] == [("rotate_master_key", '{"secrets":5}')]
    assert audit.verify_chain(entries).intact


async def test_a_rotation_killed_at_any_step_loses_nothing_and_can_be_finished(tmp_path: Path) -> None:
    """`kill -9` before and after each effect, and within the transaction: the keys in the file open every secret, and
    the next rotation ends with one key that opens every secret."""
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    pepper = await installation(Settings(data_dir=data_dir))
    program = Path(__file__).with_name("killed_rotations.py")
    run = await asyncio.create_subprocess_exec(sys.executable, program, data_dir, stdout=asyncio.subprocess.PIPE)
    assert (await run.communicate())[0].strip() == b"8"
    resumed = []
    for step in range(8):
        settings = Settings(data_dir=data_dir.with_name(f"data-{step}"))
        assert await secrets_under(settings, read_master_keys(settings)) == (ALL, pepper)
        resumed.append((await rotate(settings)).resumed)
        (key,) = read_master_keys(settings)
        assert await secrets_under(settings, (key,)) == (ALL, pepper)
    assert resumed == [False, *[True] * 6, False]


async def test_a_running_server_stops_a_rotation_before_it_begins(tmp_path: Path) -> None:
    """The server has the old key in memory: it would go on sealing under it, and could not read the new records."""
    settings = Settings(data_dir=tmp_path)
    await installation(settings)
    before = read_master_keys(settings)
    with DataDirLock.take(tmp_path), pytest.raises(Conflict, match="in use by process"):
        await rotate(settings)
    assert read_master_keys(settings) == before


async def test_keys_in_the_variable_are_moved_by_the_operator(tmp_path: Path) -> None:
    """With a new key in front everything moves under it; no file is made, and the message is that the old may go."""
    old, new = MasterKey(b"o" * 32), MasterKey(b"n" * 32)
    await installation(Settings(data_dir=tmp_path, master_key=old.to_text()))
    settings = Settings(data_dir=tmp_path, master_key=f"{new.to_text()},{old.to_text()}")
    done = await rotate(settings)
    assert (done.resealed, done.in_variable) == (6, True)
    assert (await secrets_under(settings, (new,)))[0] == ALL
    assert not (tmp_path / "master.key").exists()


async def test_a_single_key_in_the_variable_is_refused_with_the_way_on(tmp_path: Path) -> None:
    """The command cannot change the operator's environment; it says what to put there."""
    settings = Settings(data_dir=tmp_path, master_key=MasterKey(b"o" * 32).to_text())
    await installation(settings)
    with pytest.raises(Conflict) as caught:
        await rotate(settings)
    assert "headgate keys new-master" in caught.value.message


async def test_a_record_that_does_not_open_stops_the_rotation_and_changes_nothing(tmp_path: Path) -> None:
    """All or nothing: a damaged record is named, every other one stays under the key that opens it."""
    settings = Settings(data_dir=tmp_path)
    await installation(settings)
    (old,) = read_master_keys(settings)
    save_master_keys(tmp_path, (MasterKey.generate(),))
    with pytest.raises(CannotOpen, match="integration/int_1/key"):
        await rotate(settings)
    assert len(read_master_keys(settings)) == 2
    assert (await secrets_under(settings, (old,)))[0] == ALL
    shutil.rmtree(tmp_path)
