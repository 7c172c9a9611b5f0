"""PostgreSQL killed, paused, read-only, full, without connections, migrated under way: nothing is lost or doubled."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Connection, func, select, text

from headgate.base.clock import SystemClock
from headgate.base.errors import Conflict, Unavailable
from headgate.bootstrap import Gateway, open_gateway
from headgate.settings import Settings
from headgate.storage import usage_queries, usage_writer
from headgate.storage.alert_rows import AlertedRows
from headgate.storage.database import Database, open_database
from headgate.storage.migrate import newest, upgrade
from headgate.storage.partitions import make_months
from headgate.storage.tables import usage_record
from headgate.tenancy import keys
from headgate.tenancy.founding import found
from headgate.tenancy.vault import MasterKey, Vault
from tests.storage.test_usage_writer import Told, record, writing
from tests.support.asgi import request
from tests.support.databases import create_postgres_database
from tests.support.services import PostgresServer

CONNECTIONS = 14


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgresServer]:
    """Which the tests of this module may treat as they like, one after another."""
    server = PostgresServer()
    yield server
    server.close()


@pytest.fixture
def server(own_server: PostgresServer) -> PostgresServer:
    """Running, and well."""
    if own_server._running is None:
        own_server.start(f"max_connections={CONNECTIONS}", "superuser_reserved_connections=0")
    return own_server


@pytest.fixture
async def url(server: PostgresServer) -> str:
    return await create_postgres_database(server.url)


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = await open_database(url)
    await upgrade(opened)
    yield opened
    await opened.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-offs of milliseconds."""
    monkeypatch.setattr(usage_writer, "FIRST_BACKOFF_S", 0.01)
    monkeypatch.setattr(usage_writer, "LONGEST_BACKOFF_S", 0.05)


def rows(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(usage_record)).scalar_one()


@asynccontextmanager
async def hand(url: str) -> AsyncIterator[Any]:
    """An operator's own connection."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def refused(told: Told) -> BaseException:
    """What the writer was told, once it was."""
    async with asyncio.timeout(30):
        while not told.failures:  # noqa: ASYNC110 - a list of what happened
            await asyncio.sleep(0.01)  # why: watched from outside
    return told.failures[-1][1]


async def test_killed_and_started_again(database: Database, server: PostgresServer) -> None:
    """As by `kill -9` of the whole server, in the midst of writing: every record is there once."""
    async with writing(database, insert=AlertedRows(SystemClock()).insert) as (writer, told):
        for number in range(2_000):
            writer.add(record(number))
        server.end(signal.SIGQUIT)
        assert isinstance(await refused(told), Unavailable)
        for number in range(2_000, 2_500):
            writer.add(record(number))
        server.start(f"max_connections={CONNECTIONS}", "superuser_reserved_connections=0")
        await writer.flush()
        assert sorted(set(told.written)) == [record(number).request_id for number in range(2_500)]
    assert await database.read(rows) == 2_500
    cells = text("SELECT sum(calls) FROM usage_cell WHERE kind = 0")
    assert await database.read(lambda c: int(c.execute(cells).scalar_one())) == 2_500


async def test_paused(database: Database, server: PostgresServer) -> None:
    """What asks meanwhile is refused within seconds, and no connection is lost to it; what waited is written."""
    async with writing(database) as (writer, told):
        writer.add(record(1))
        await writer.flush()
        with server.paused():
            started = time.monotonic()
            with pytest.raises(Unavailable):
                await database.read(rows)
            assert time.monotonic() - started < 15
            writer.add(record(2))
        await writer.flush()
        assert set(told.written) == {record(1).request_id, record(2).request_id}
    assert await asyncio.gather(*(database.read(rows) for _ in range(8))) == [2] * 8


async def test_read_only(database: Database, url: str) -> None:
    """As after a failover to a replica: reads go on, writes say so, and are made later."""
    name = url.rpartition("/")[2]
    async with hand(url) as operator, writing(database) as (writer, told):
        await operator.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        await operator.execute(f"{others} AND datname = '{name}'")
        writer.add(record(1))
        assert "read-only" in str(await refused(told))
        assert await database.read(rows) == 0
        assert writer.waiting == 1
        await operator.execute("SET default_transaction_read_only = off")
        await operator.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        await operator.execute(f"{others} AND datname = '{name}'")
        await writer.flush()
    assert await database.read(rows) == 1


async def test_no_connections_left(database: Database, url: str) -> None:
    """Others have them all, the gateway's own included: it is told as such, and goes on once there is one."""
    async with AsyncExitStack() as taken, writing(database) as (writer, told):
        operator = await taken.enter_async_context(hand(url))
        while await _taken(taken, url):
            pass
        await operator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'headgate'"
        )
        async with asyncio.timeout(10):
            while not await _taken(taken, url):
                pass
        writer.add(record(1))
        await refused(told)
        told.failures.clear()
        assert "no connection left" in str(await refused(told))
        await taken.aclose()
        await writer.flush()
    assert await database.read(rows) == 1


async def _taken(taken: AsyncExitStack, url: str) -> bool:
    """Whether there was one more connection to take."""
    try:
        await taken.enter_async_context(hand(url))
    except asyncpg.TooManyConnectionsError:
        return False
    return True


async def test_a_full_disk(database: Database) -> None:
    """The server's own error for it, brought about by a trigger: there is no file system here that may be filled."""
    make = (
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$",
        "CREATE TRIGGER full_disk BEFORE INSERT ON usage_record_default FOR EACH ROW EXECUTE FUNCTION full_disk()",
    )

    def fill(connection: Connection) -> None:
        for statement in make:
            connection.exec_driver_sql(statement)

    await database.write(fill)
    async with writing(database) as (writer, told):
        writer.add(record(1))
        assert "no room left" in str(await refused(told))
        assert (writer.waiting, told.written) == (1, [])
        await database.write(lambda c: c.exec_driver_sql("DROP FUNCTION full_disk CASCADE").close())
        await writer.flush()
    assert await database.read(rows) == 1


async def test_many_processes_migrate_at_once(url: str) -> None:
    """Five of them start on an empty database, and make the months of the records: all succeed."""
    opened = [await open_database(url) for _ in range(5)]
    try:
        assert set(await asyncio.gather(*map(upgrade, opened))) == {newest()}
        now = SystemClock.now()
        made = await asyncio.gather(*(each.write(lambda c: make_months(c, now)) for each in opened))
        assert sorted(made) == [0, 0, 0, 0, 3]
    finally:
        for each in opened:
            await each.close()


async def test_an_older_version_goes_on_beside_a_newer_schema(database: Database) -> None:
    """A migration only adds; the statements of the version before name what they know. It does not start any more."""
    async with writing(database) as (writer, told):
        writer.add(record(1))
        await writer.flush()

        def migrate(connection: Connection) -> None:
            connection.exec_driver_sql("ALTER TABLE usage_record ADD COLUMN later TEXT NOT NULL DEFAULT ''")
            connection.exec_driver_sql("ALTER TABLE organization ADD COLUMN later TEXT")
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'v9999'")

        await database.write(migrate)
        writer.add(record(2))
        await writer.flush()
        assert told.written == [record(1).request_id, record(2).request_id]
    assert await database.read(lambda c: usage_queries.get(c, record(1).request_id)) == record(1)
    with pytest.raises(Conflict):
        await upgrade(database)


@asynccontextmanager
async def gateway(url: str, directory: Path, **settings: Any) -> AsyncIterator[Gateway]:
    opened = await open_gateway(
        Settings(data_dir=directory, database_url=url, **settings), Vault([MasterKey.generate()])
    )
    try:
        yield opened
    finally:
        await opened.drain(0)
        await opened.close()


async def test_a_process_out_of_contact_takes_no_calls(url: str, server: PostgresServer, tmp_path: Path) -> None:
    """Once the bound is over it says 503, and why; `/readyz` too; and takes calls again when it has caught up."""
    async with gateway(url, tmp_path, database_lost_after_s=2.0) as opened:
        admin = keys.mint(opened.pepper)
        await found(opened.administration, admin)
        headers = {"x-portkey-api-key": admin.text}

        async def models() -> Any:
            return await request(opened.app, "GET", "/v1/models", None, headers)

        async def ready() -> int:
            return (await request(opened.app, "GET", "/readyz", None, {})).status

        assert (await models()).status != 503
        assert await ready() == 200
        with server.paused():
            async with asyncio.timeout(10):
                while await ready() == 200:  # noqa: ASYNC110 - watched from outside, as a balancer would
                    await asyncio.sleep(0.05)  # why: watched from outside
            told = await models()
            assert (told.status, told.json["error"]["code"]) == (503, "database_lost")
        async with asyncio.timeout(10):
            while await ready() != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.05)  # why: watched from outside
        assert (await models()).status != 503
