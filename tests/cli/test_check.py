"""`headgate check` refuses what a start would refuse, in one sentence, and makes nothing."""

import asyncio
import os
from pathlib import Path

import pytest

from headgate.base.errors import NotFound
from headgate.bootstrap import database_url
from headgate.process.look import look, usage_record
from headgate.process.master_key import MASTER_KEY_FILE, save_master_keys
from headgate.settings import load
from headgate.storage import migrate
from headgate.storage.database import open_database
from headgate.storage.pepper import load_pepper
from headgate.tenancy.vault import MasterKey, Vault
from tests.support.command import headgate

ONE, TWO = MasterKey(b"1" * 32), MasterKey(b"2" * 32)


@pytest.fixture(scope="module")
def under_one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory of which the database is under master key ONE, without its file."""
    directory = tmp_path_factory.mktemp("under_one")
    asyncio.run(_start(directory))
    return directory


async def _start(directory: Path) -> None:
    database = await open_database(database_url(load({}, {"data_dir": str(directory)})))
    try:
        await migrate.upgrade(database)
        await database.write(lambda connection: load_pepper(connection, Vault((ONE,))))
    finally:
        await database.close()


@pytest.mark.parametrize(
    ("env", "code", "sentence"),
    [
        ({"HEADGATE_ADMIN_KEY": "bogussecret"}, 2, "HEADGATE_ADMIN_KEY"),
        ({"HEADGATE_REDIS_URL": "redis://:hunter2@127.0.0.1:1/0"}, 2, "redis_url"),
        ({"HEADGATE_DATA_DIR": "a-file"}, 1, "data_dir: `a-file` is no directory"),
    ],
    ids=["admin key", "redis without a database", "a file as the directory"],
)
async def test_what_a_start_refuses_is_refused_by_its_name(
    env: dict[str, str], code: int, sentence: str, tmp_path: Path
) -> None:
    """Who looks before a start is not told that all is well; a secret is not shown."""
    (tmp_path / "a-file").touch()
    checked = await headgate("check", cwd=tmp_path, env=env)
    assert (checked.code, checked.out) == (code, "")
    assert sentence in checked.err
    assert "bogussecret" not in checked.err
    assert "hunter2" not in checked.err
    assert os.listdir(tmp_path) == ["a-file"]


@pytest.mark.parametrize("there", [None, TWO], ids=["no key", "another key"])
async def test_a_database_without_its_master_key_is_told_with_the_id_of_the_key(
    there: MasterKey | None, under_one: Path, tmp_path: Path
) -> None:
    """After a restore the key is put back by hand: one that is missing, or not this one, is said before the start."""
    (tmp_path / "headgate.db").write_bytes((under_one / "headgate.db").read_bytes())
    if there is not None:
        save_master_keys(tmp_path, (there,))
    checked = await headgate("check", "--data-dir", str(tmp_path), cwd=tmp_path)
    assert (checked.code, checked.out) == (1, "")
    assert f"under master key {ONE.id.hex()}, which is not here" in checked.err
    assert (tmp_path / MASTER_KEY_FILE).exists() == (there is not None)


async def test_its_own_master_key_is_good_as_the_first_and_behind_another(under_one: Path) -> None:
    """A rotation that was begun by putting the new key first is no fault."""
    for keys in (ONE.to_text(), f"{TWO.to_text()},{ONE.to_text()}"):
        found = await look(load({"HEADGATE_MASTER_KEY": keys}, {"data_dir": str(under_one)}))
        assert "database" in dict(found.facts)


async def test_a_call_is_not_called_unknown_where_there_is_no_database(tmp_path: Path) -> None:
    """Whoever looks in the wrong directory is told so, and not that the call has no record."""
    with pytest.raises(NotFound, match=r"There is no database in .* --data-dir"):
        await usage_record(load({}, {"data_dir": str(tmp_path)}), "req_x")
