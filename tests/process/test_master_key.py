"""Where master keys come from, and how broken ones are refused."""

import stat
from pathlib import Path

import pytest

from headgate.process.master_key import MASTER_KEY_FILE, load_master_keys, read_master_keys, save_master_keys
from headgate.settings import Settings
from headgate.tenancy.vault import BadMasterKey, MasterKey

ONE, TWO = MasterKey(b"1" * 32), MasterKey(b"2" * 32)


def test_the_first_start_makes_a_key_file_that_only_its_user_can_read(tmp_path: Path) -> None:
    """The key is random, kept with mode 0600, and found again by the next start."""
    settings = Settings(data_dir=tmp_path)
    keys = load_master_keys(settings)
    assert len(keys) == 1
    assert load_master_keys(settings) == keys == read_master_keys(settings)
    assert stat.S_IMODE((tmp_path / MASTER_KEY_FILE).stat().st_mode) == 0o600
    (tmp_path / "other").mkdir()
    assert load_master_keys(Settings(data_dir=tmp_path / "other")) != keys


def test_the_variable_wins_and_no_file_is_made(tmp_path: Path) -> None:
    """With HEADGATE_MASTER_KEY the key is the operator's business: nothing of it touches the disk."""
    settings = Settings(data_dir=tmp_path, master_key=f"{TWO.to_text()}, {ONE.to_text()}")
    assert load_master_keys(settings) == (TWO, ONE)
    assert list(tmp_path.iterdir()) == []


def test_several_keys_keep_their_order(tmp_path: Path) -> None:
    """The first is the current one."""
    save_master_keys(tmp_path, (TWO, ONE))
    assert load_master_keys(Settings(data_dir=tmp_path)) == (TWO, ONE)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """The message names the file and the command that mends it."""
    path = tmp_path / MASTER_KEY_FILE
    save_master_keys(tmp_path, (ONE,))
    path.chmod(mode)
    with pytest.raises(BadMasterKey) as caught:
        load_master_keys(Settings(data_dir=tmp_path))
    assert f"chmod 600 {path}" in caught.value.message


@pytest.mark.parametrize("content", ["", "too short\n", f"{ONE.to_text()}\n\n", "\xff\n"])
def test_a_broken_key_file_is_refused_by_its_name(tmp_path: Path, content: str) -> None:
    """A damaged file is never replaced by a new key: that would lose every stored credential."""
    path = tmp_path / MASTER_KEY_FILE
    path.write_text(content, encoding="latin-1")
    path.chmod(0o600)
    with pytest.raises(BadMasterKey) as caught:
        load_master_keys(Settings(data_dir=tmp_path))
    assert str(path) in caught.value.message
    assert path.read_text(encoding="latin-1") == content


def test_a_broken_variable_is_refused_by_its_name_and_not_shown(tmp_path: Path) -> None:
    """The message names HEADGATE_MASTER_KEY and how to get a well-formed one."""
    with pytest.raises(BadMasterKey) as caught:
        load_master_keys(Settings(data_dir=tmp_path, master_key="p4ssword"))
    assert "HEADGATE_MASTER_KEY" in caught.value.message
    assert "headgate keys new-master" in caught.value.message
    assert "p4ssword" not in caught.value.message


def test_commands_that_only_look_make_no_key(tmp_path: Path) -> None:
    """Reading never creates: a wrong directory is an error, not a new installation."""
    with pytest.raises(BadMasterKey, match=MASTER_KEY_FILE):
        read_master_keys(Settings(data_dir=tmp_path))
    assert list(tmp_path.iterdir()) == []
