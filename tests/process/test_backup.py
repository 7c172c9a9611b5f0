"""`headgate backup` beside a server under load, and `headgate restore`: no call is missing, none counts twice."""

import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert

from headgate.base.errors import Conflict, InvalidRequest, NotFound
from headgate.process.audit import verify_audit
from headgate.process.backup import Backup, BadBackup, back_up, read_backup
from headgate.process.data_dir import DataDirLock
from headgate.process.master_key import load_master_keys, save_master_keys
from headgate.process.restore import restore
from headgate.process.verify import verify
from headgate.settings import Settings
from headgate.storage.database import open_database
from headgate.storage.migrate import upgrade
from headgate.storage.pepper import load_pepper
from headgate.storage.tables import setting
from headgate.tenancy.vault import MasterKey, Vault
from tests.support.command import headgate
from tests.support.databases import create_postgres_database, records_in
from tests.support.furnished import MODEL, admin, furnish, used
from tests.support.gateway import ADDRESS, Gateway, started, usage_records
from tests.support.http import call
from tests.support.processes import end, running
from tests.support.services import postgres_tool

CALLERS = 6


@contextmanager
def load(gateway: Gateway, key: str) -> Iterator[list[str]]:
    """Callers that call without a pause; the request ids of the calls that are over."""
    over: list[str] = []
    enough = threading.Event()

    def caller() -> None:
        while not enough.is_set():
            request_id = gateway.chat(key, MODEL).header("x-headgate-request-id")
            assert request_id is not None
            over.append(request_id)

    with ThreadPoolExecutor(CALLERS) as callers:
        running_callers = [callers.submit(caller) for _ in range(CALLERS)]
        yield over
        enough.set()
    for each in running_callers:
        each.result()


def until(over: list[str], count: int) -> None:
    while len(over) < count:
        time.sleep(0.01)  # why: another process answers them


async def books_agree(settings: Settings) -> None:
    """Both verifications find nothing."""
    assert (await verify(settings)).differences == []
    assert all(report.intact for _, report in await verify_audit(settings, None))


async def test_a_backup_under_load_is_a_server_whose_books_agree(tmp_path: Path) -> None:
    """Every call that was over before it began is there, once; what is charged is the sum of what is recorded; both
    verifications find nothing; and the key goes on where it was."""
    with started(tmp_path) as gateway:
        home = furnish(gateway)
        admin(gateway.url, gateway.admin_key, "PUT", f"/api-keys/{home.key_id}", {"usage_limits": {"credit_limit": 50}})
        backup, restored = tmp_path / "backup", Settings(data_dir=tmp_path / "restored")
        with load(gateway, home.key) as over:
            until(over, 100)
            before = set(over)
            ran = await headgate("backup", str(backup), "--data-dir", str(gateway.data_dir), cwd=tmp_path)
            assert (ran.code, ran.err) == (0, "")
            assert "is not among them" in ran.out
            until(over, len(over) + 20)
        assert end(gateway.process) == 0
        everything = usage_records(gateway.data_dir)
        assert not list(backup.rglob("master.key"))

        ran = await headgate("restore", str(backup), "--data-dir", str(restored.data_dir), cwd=tmp_path)
        assert (ran.code, "there is no master key here" in ran.err) == (0, True)
        shutil.copy2(gateway.data_dir / "master.key", restored.data_dir)
        again = ("serve", "--port", "0", "--data-dir", restored.data_dir)
        with running(again, tmp_path / "restored.log", ADDRESS) as (process, address):
            records = usage_records(restored.data_dir)
            assert before <= records.keys() < everything.keys()
            changed = {name for name, row in records.items() if row != everything[name]}
            assert all(records[name]["outcome"] == "recovered" for name in changed)
            assert len(changed) <= CALLERS
            spent = sum(row["cost"] for row in records.values() if row["key_id"] == home.key_id)
            assert used(address[1], gateway.admin_key, home)["current_usage"] == pytest.approx(spent / 1e9)
            body = {"model": MODEL, "max_tokens": 50, "messages": [{"role": "user", "content": "again"}]}
            answer = call("POST", f"{address[1]}/v1/chat/completions", body, {"x-api-key": home.key})
            assert answer.status == 200
            assert end(process) == 0
        await books_agree(restored)


async def test_postgresql_under_load_from_a_dump_and_the_journal_before_it(tmp_path: Path, postgres_url: str) -> None:
    """As the page says: the journal, then `pg_dump`, into a new database and an empty directory. Every call that was
    over before is there, once, and nothing differs."""
    old, new = [await create_postgres_database(postgres_url) for _ in range(2)]
    with started(tmp_path, {"HEADGATE_DATABASE_URL": old}) as gateway:
        home = furnish(gateway)
        admin(gateway.url, gateway.admin_key, "PUT", f"/api-keys/{home.key_id}", {"usage_limits": {"credit_limit": 50}})
        backup, dump = tmp_path / "backup", tmp_path / "headgate.dump"
        restored = Settings(data_dir=tmp_path / "restored", database_url=new)
        with load(gateway, home.key) as over:
            until(over, 100)
            before = set(over)
            back_up(Settings(data_dir=gateway.data_dir, database_url=old), backup)
            postgres_tool("pg_dump", "--format=custom", f"--file={dump}", old)
            until(over, len(over) + 20)
        assert end(gateway.process) == 0
        everything = await records_in(old)
        postgres_tool("pg_restore", "--exit-on-error", f"--dbname={new}", str(dump))
        restore(restored, backup)
        shutil.copy2(gateway.data_dir / "master.key", restored.data_dir)
        again = ("serve", "--port", "0", "--data-dir", restored.data_dir)
        with running(again, tmp_path / "restored.log", ADDRESS, {"HEADGATE_DATABASE_URL": new}) as (process, address):
            records = await records_in(new)
            assert before <= records.keys() < everything.keys()
            spent = sum(row["cost"] for row in records.values() if row["key_id"] == home.key_id)
            assert used(address[1], gateway.admin_key, home)["current_usage"] == pytest.approx(spent / 1e9)
            assert end(process) == 0
        await books_agree(restored)


@pytest.fixture
async def kept(tmp_path: Path) -> tuple[Settings, Backup, Path]:
    """An installation, its backup, and where that is."""
    settings = Settings(data_dir=tmp_path / "data")
    settings.data_dir.mkdir()
    database = await open_database(f"sqlite:///{settings.data_dir}/headgate.db")
    await upgrade(database)
    vault = Vault(load_master_keys(settings))
    await database.write(lambda connection: load_pepper(connection, vault))
    await database.write(lambda c: c.execute(insert(setting).values(name="a", value="b")))
    await database.close()
    for journal in (settings.data_dir / "journal", settings.data_dir / "worker-2" / "journal"):
        journal.mkdir(parents=True)
        (journal / "journal-0000000007.log").write_bytes(b"headgate journal 1\n")
    target = tmp_path / "backup"
    return settings, back_up(settings, target), target


def test_a_backup_says_what_is_in_it(kept: tuple[Settings, Backup, Path]) -> None:
    """Every file with its size and checksum, every worker's journal, and the master key by its id only; all of it
    readable by its owner alone."""
    settings, made, place = kept
    assert read_backup(place) == made
    names = [file.name for file in made.files]
    first, second = "journal/journal-0000000007.log", "worker-2/journal/journal-0000000007.log"
    assert names == [first, second, "headgate.db"]
    assert made.master_key == load_master_keys(settings)[0].id.hex()
    assert place.stat().st_mode & 0o077 == 0
    secret = load_master_keys(settings)[0].secret
    for path in place.rglob("*"):
        assert path.is_dir() or secret not in path.read_bytes()


def test_it_is_restored_file_by_file(kept: tuple[Settings, Backup, Path], tmp_path: Path) -> None:
    """Beside the master key that is there already, where it is the right one."""
    settings, made, place = kept
    fresh = replace(settings, data_dir=tmp_path / "fresh")
    fresh.data_dir.mkdir()
    save_master_keys(fresh.data_dir, (MasterKey.generate(),))
    with pytest.raises(InvalidRequest, match="another one is here"):
        restore(fresh, place)
    save_master_keys(fresh.data_dir, load_master_keys(settings))
    assert restore(fresh, place) == made
    for file in made.files:
        assert (fresh.data_dir / file.name).read_bytes() == (place / file.name).read_bytes()
    with pytest.raises(Conflict, match=r"there is `headgate.db`"):
        restore(fresh, place)


def test_what_is_no_backup_is_told(kept: tuple[Settings, Backup, Path], tmp_path: Path) -> None:
    """Without a manifest, with a byte changed, with a file less: and nothing is made of it."""
    settings, made, place = kept
    fresh = replace(settings, data_dir=tmp_path / "fresh")
    with pytest.raises(BadBackup, match="is no backup"):
        restore(fresh, tmp_path)
    database = place / "headgate.db"
    content = bytearray(database.read_bytes())
    content[5_000] ^= 1
    database.write_bytes(content)
    with pytest.raises(BadBackup, match=r"headgate.db is not what was backed up"):
        restore(fresh, place)
    (place / made.files[0].name).unlink()
    with pytest.raises(BadBackup, match=r"journal-0000000007\.log is not what"):
        restore(fresh, place)
    assert not fresh.data_dir.exists()


def test_nothing_is_written_over(kept: tuple[Settings, Backup, Path], tmp_path: Path) -> None:
    """Neither by a backup nor by a restore, and never beside a server; and there must be something to back up."""
    settings, _, place = kept
    with pytest.raises(Conflict, match="is not empty"):
        back_up(settings, place)
    with DataDirLock.take(tmp_path / "in-use"), pytest.raises(Conflict, match="in use by process"):
        restore(replace(settings, data_dir=tmp_path / "in-use"), place)
    with pytest.raises(NotFound, match="nothing in"):
        back_up(replace(settings, data_dir=tmp_path / "none"), tmp_path / "another")
    assert not (tmp_path / "another").exists()


def test_with_postgresql_the_journals_are_copied(kept: tuple[Settings, Backup, Path], tmp_path: Path) -> None:
    """The database has its own tools; what it does not have yet is in the journals."""
    settings, _, _ = kept
    made = back_up(replace(settings, database_url="postgresql://db.example.com/x"), tmp_path / "journals")
    assert (made.has_database, made.master_key, len(made.files)) == (False, None, 2)
