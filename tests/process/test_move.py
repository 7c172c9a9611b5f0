"""`headgate migrate sqlite-to-postgres`: everything is there, the same, or nothing is; and the source is as it was."""

import hashlib
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update

from headgate.base.errors import Conflict, NotFound
from headgate.process.data_dir import DataDirLock
from headgate.process.journals import BooksDamaged
from headgate.process.move import Moved, move
from headgate.settings import BadSetting, Settings
from headgate.storage import copying, usage_rows
from headgate.storage.database import Database, open_database
from headgate.storage.migrate import current, upgrade
from headgate.storage.sqlite import snapshot
from headgate.storage.tables import integration, organization, setting
from tests.support.command import headgate
from tests.support.databases import create_postgres_database, records_in
from tests.support.furnished import MODEL, Furnished, furnish, kill_in_a_call, used
from tests.support.gateway import ADDRESS, Gateway, started, usage_records
from tests.support.http import call
from tests.support.ledger import record
from tests.support.processes import end, running

pytestmark = pytest.mark.timeout(180)


async def furnished_database(data_dir: Path, *rows: dict[str, str]) -> None:
    """A SQLite database with the schema, and these settings in it."""
    database = await open_database(f"sqlite:///{data_dir}/headgate.db")
    await upgrade(database)
    if rows:
        await database.write(lambda connection: connection.execute(insert(setting), rows))
    await database.close()


async def moved(settings: Settings) -> Moved:
    return await move(settings, lambda table, rows: None)


async def target(settings: Settings) -> Database:
    assert settings.database_url is not None
    return await open_database(settings.database_url)


def contents(data_dir: Path) -> dict[str, str]:
    """Of every file that says anything: not the lock, and not the index of the write-ahead log."""
    files = [path for path in sorted(data_dir.rglob("*")) if path.is_file()]
    kept = [path for path in files if path.name != "headgate.lock" and not path.name.endswith("-shm")]
    return {str(path.relative_to(data_dir)): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}


def counts(data_dir: Path) -> dict[str, int]:
    """Rows of every table, without the engine's and the migrations' own."""
    with closing(sqlite3.connect(f"file:{data_dir / 'headgate.db'}?mode=ro", uri=True)) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        own = [name for name in names if name != "alembic_version" and not name.startswith("sqlite_")]
        return {name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in own}


async def check_the_new_home(gateway: Gateway, home: Furnished, url: str, tmp_path: Path) -> None:
    """A start on PostgreSQL with the same directory: nothing counts twice, and everything goes on."""
    elsewhere = {"HEADGATE_DATABASE_URL": url}
    before = await records_in(url)
    recovered = [row for row in before.values() if row["outcome"] == "recovered"]
    assert len(recovered) == 1
    serving = ("serve", "--port", "0", "--data-dir", gateway.data_dir)
    with running(serving, tmp_path / "moved.log", ADDRESS, elsewhere) as (process, address):
        spent = used(address[1], gateway.admin_key, home)
        of_key = [row for row in before.values() if row["key_id"] == home.key_id]
        assert spent["current_usage"] == pytest.approx(sum(row["cost"] for row in of_key) / 1e9)
        body = {"model": MODEL, "max_tokens": 50, "messages": [{"role": "user", "content": "at home"}]}
        fresh = {"authorization": f"Bearer {home.key}", "x-portkey-metadata": '{"room": "new"}'}
        answer = call("POST", f"{address[1]}/v1/chat/completions", body, fresh)
        assert answer.status == 200
        assert end(process) == 0
    after = await records_in(url)
    assert after.keys() - before.keys() == {answer.header("x-headgate-request-id")}
    assert {name: row for name, row in after.items() if name in before} == before


async def test_a_house_that_is_lived_in_moves_with_its_journal(tmp_path: Path, postgres_url: str) -> None:
    """After `kill -9` in a call: every row is the same, the call is charged once, keys, budgets and both verifications
    are right in the new home, numbers go on above the old ones, and the old home is as it was to the byte."""
    url = await create_postgres_database(postgres_url)
    with started(tmp_path) as gateway:
        home = furnish(gateway)
        kill_in_a_call(gateway, home.key)
        old, rows, known = contents(gateway.data_dir), counts(gateway.data_dir), usage_records(gateway.data_dir)
        place = ("--data-dir", str(gateway.data_dir))
        elsewhere = {"HEADGATE_DATABASE_URL": url}
        ran = await headgate("migrate", "sqlite-to-postgres", *place, cwd=tmp_path, env=elsewhere)
        assert (ran.code, "usage_record: " in ran.err) == (0, True), ran.err
        assert "1 of them recovered" in ran.out
        told = dict(re.findall(r"^(\w+) +(\d+) +[0-9a-f]{16}$", ran.out, re.MULTILINE))
        assert told == {name: str(count) for name, count in rows.items() if count}
        assert len(told) >= 25
        assert contents(gateway.data_dir) == old
        assert known.keys() < (await records_in(url)).keys()
        for what in (("verify",), ("audit", "verify")):
            checked = await headgate(*what, *place, cwd=tmp_path, env=elsewhere)
            assert (checked.code, checked.err) == (0, ""), checked.out
        await check_the_new_home(gateway, home, url, tmp_path)
        checked = await headgate("verify", *place, cwd=tmp_path, env=elsewhere)
        assert (checked.code, checked.err) == (0, ""), checked.out


async def test_values_of_every_kind_are_the_same(tmp_path: Path, postgres_url: str) -> None:
    """Texts of any script, 64-bit numbers, documents with floats and keys in any order, bytes; and a changed one is
    named."""
    await furnished_database(tmp_path)
    deep: Any = {"z": [1.0, -0.5, 1e20, None, True], "a": {"é": "水\u2028", "": "x"}, "big": 2**53 + 1}
    org: dict[str, Any] = {"id": "org_1", "name": "Ω", "time_zone": "UTC", "usage_limits": [deep], "rate_limits": []}
    org |= {"created_at": 2**63 - 1, "updated_at": -(2**63), "admission": None, "routing": {}}
    one: dict[str, Any] = {
        "id": "int_a",
        "organization_id": "org_1",
        "slug": "a",
        "name": "a",
        "description": "",
        "kind": "openai",
    }
    one |= {"sealed_key": bytes(range(256)), "masked_key": "", "header_names": [], "allow_all_models": False}
    one |= {"global_enabled": True, "global_usage_limits": [], "global_rate_limits": [], "created_at": 0}
    database = await open_database(f"sqlite:///{tmp_path}/headgate.db")
    await database.write(lambda connection: connection.execute(insert(organization), org))
    rows = [one | {"id": f"int_{name}", "slug": name, "name": name, "updated_at": 0} for name in ("a", "B", "é", "_")]
    await database.write(lambda connection: connection.execute(insert(integration), rows))
    await database.close()
    settings = Settings(data_dir=tmp_path, database_url=await create_postgres_database(postgres_url))
    found = {each.table: each.rows for each in (await moved(settings)).tables}
    assert (found["organization"], found["integration"]) == (1, 4)
    there = await target(settings)
    copied = await there.read(lambda connection: connection.execute(select(organization)).mappings().one())
    absent: dict[str, Any] = dict.fromkeys(organization.columns.keys())
    assert dict(copied) == absent | {"time_zone_set_at": 0, "require_second_factor": False} | org
    with snapshot(tmp_path / "headgate.db") as source:
        await there.read(lambda connection: copying.compare(source, connection))
        await there.write(lambda c: c.execute(update(integration).where(integration.c.slug == "B").values(kind="x")))
        with pytest.raises(Conflict, match="int_B of `integration` is not the same"):
            await there.read(lambda connection: copying.compare(source, connection))
        await there.write(lambda c: c.execute(delete(integration).where(integration.c.slug == "B")))
        with pytest.raises(Conflict, match="int_B of `integration` is not the same"):
            await there.read(lambda connection: copying.compare(source, connection))
    await there.close()


async def test_a_row_that_cannot_be_there_is_named_and_nothing_is_moved(tmp_path: Path, postgres_url: str) -> None:
    """All or nothing: the target has not even the schema, and once the row is mended the same command succeeds."""
    rows = [{"name": f"setting {number}", "value": "x" if number != 1_500 else "a\0b"} for number in range(2_000)]
    await furnished_database(tmp_path, *rows)
    settings = Settings(data_dir=tmp_path, database_url=await create_postgres_database(postgres_url))
    with pytest.raises(Conflict, match="The row setting 1500 of `setting` cannot be in"):
        await moved(settings)
    there = await target(settings)
    assert await current(there) is None
    source = await open_database(f"sqlite:///{tmp_path}/headgate.db")
    await source.write(lambda c: c.execute(update(setting).values(value="x")))
    await source.close()
    found = {each.table: each.rows for each in (await moved(settings)).tables}
    assert found["setting"] == 2_000
    await there.close()


async def test_a_move_that_dies_half_way_leaves_nothing(tmp_path: Path, postgres_url: str) -> None:
    """It is one transaction: whatever ends it, the next one begins with an empty database."""
    await furnished_database(tmp_path, {"name": "a", "value": "b"})
    settings = Settings(data_dir=tmp_path, database_url=await create_postgres_database(postgres_url))

    def dies(table: str, rows: int) -> None:
        if table == "setting":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await move(settings, dies)
    assert {each.table for each in (await moved(settings)).tables if each.rows} == {"counter", "setting"}


async def test_a_target_that_is_lived_in_is_left_alone(tmp_path: Path, postgres_url: str) -> None:
    """A second move finds what the first one brought, and names a table."""
    await furnished_database(tmp_path, {"name": "a", "value": "b"})
    settings = Settings(data_dir=tmp_path, database_url=await create_postgres_database(postgres_url))
    await moved(settings)
    with pytest.raises(Conflict, match="not empty: there are rows in `setting`"):
        await moved(settings)


async def test_what_stands_in_the_way_is_told_before_anything_is_done(tmp_path: Path, postgres_url: str) -> None:
    """No target, another engine, nothing to move, a running server, an older schema, a damaged journal."""
    url = await create_postgres_database(postgres_url)
    for wrong in (None, "sqlite:///x.db"):
        with pytest.raises(BadSetting, match="HEADGATE_DATABASE_URL"):
            await moved(Settings(data_dir=tmp_path, database_url=wrong))
    settings = Settings(data_dir=tmp_path, database_url=url)
    with pytest.raises(NotFound, match="nothing to move"):
        await moved(settings)
    await furnished_database(tmp_path)
    with DataDirLock.take(tmp_path), pytest.raises(Conflict, match="in use by process"):
        await moved(settings)
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "journal-0000000001.log").write_bytes(b"nonsense\n")
    with pytest.raises(BooksDamaged):
        await moved(settings)
    database = await open_database(f"sqlite:///{tmp_path}/headgate.db")
    await database.write(lambda c: c.execute(text("UPDATE alembic_version SET version_num = 'v0001'")))
    await database.close()
    with pytest.raises(Conflict, match="Run: headgate migrate"):
        await moved(settings)


async def test_records_of_any_month_lie_in_its_partition(tmp_path: Path, postgres_url: str) -> None:
    """However old they are: none is left where a later one would have to move it again."""
    await furnished_database(tmp_path)
    source = await open_database(f"sqlite:///{tmp_path}/headgate.db")
    times = [datetime(year, month, 3, tzinfo=UTC) for year, month in ((2024, 12), (2025, 1), (2027, 6))]
    old = [record(f"req_{at:%Y%m}", at=int(at.timestamp()) * 10**9) for at in times]
    await source.write(lambda connection: usage_rows.insert(connection, old))
    await source.close()
    settings = Settings(data_dir=tmp_path, database_url=await create_postgres_database(postgres_url))
    await moved(settings)
    there = await target(settings)
    where = text("SELECT tableoid::regclass::text, request_id FROM usage_record ORDER BY request_id")
    found = await there.read(lambda connection: [tuple(row) for row in connection.execute(where)])
    assert found == [(f"usage_record_{at:%Y_%m}", f"req_{at:%Y%m}") for at in times]
    await there.close()
