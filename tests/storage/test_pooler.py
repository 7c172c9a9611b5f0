"""Behind a pooler that gives every transaction another connection, as PgBouncer's transaction mode does.

PgBouncer itself does not come as a wheel: the pooler here is the tests' own, and stricter.
"""

import asyncio
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, func, make_url, select

from headgate.base.clock import SystemClock
from headgate.bootstrap import open_gateway
from headgate.settings import Settings
from headgate.storage.alert_rows import AlertedRows
from headgate.storage.database import open_database
from headgate.storage.migrate import upgrade
from headgate.storage.tables import usage_record
from headgate.tenancy import keys
from headgate.tenancy.founding import found
from headgate.tenancy.vault import MasterKey, Vault
from tests.storage.test_usage_writer import record
from tests.support.asgi import request
from tests.support.databases import create_postgres_database
from tests.support.pooler import pooling


def rows(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(usage_record)).scalar_one()


async def test_records_are_written_and_read_through_it(postgres_url: str) -> None:
    """By several transactions at once, with the same statements on whatever connection comes."""
    url = make_url(await create_postgres_database(postgres_url))
    async with pooling(url.host or "", url.port or 0) as (pooler, port):
        through = url.set(port=port).render_as_string(hide_password=False)
        database = await open_database(through, pooler=True)
        await upgrade(database)
        batches = [[record(start + number) for number in range(20)] for start in range(0, 400, 20)]
        writers = [AlertedRows(SystemClock()) for _ in range(4)]
        await asyncio.gather(
            *(
                database.write(partial(writers[place % 4].insert, records=batch))
                for place, batch in enumerate([*batches, *batches])
            )
        )
        assert await asyncio.gather(*(database.read(rows) for _ in range(8))) == [400] * 8
        assert pooler.transactions > 48
        await database.close()


async def test_a_gateway_runs_behind_it(postgres_url: str, tmp_path: Path) -> None:
    """Changes are made, and those of another process are seen, by polling."""
    url = make_url(await create_postgres_database(postgres_url))
    async with pooling(url.host or "", url.port or 0) as (_, port):
        through = url.set(port=port).render_as_string(hide_password=False)
        settings = Settings(data_dir=tmp_path, database_url=through, database_pooler=True)
        gateway = await open_gateway(settings, Vault([MasterKey.generate()]))
        try:
            admin = keys.mint(gateway.pepper)
            await found(gateway.administration, admin)
            headers = {"x-portkey-api-key": admin.text}
            for number in range(5):
                body = {"name": f"Space {number}"}
                assert (await request(gateway.app, "POST", "/v1/admin/workspaces", body, headers)).status == 200
            listed = (await request(gateway.app, "GET", "/v1/admin/workspaces", None, headers)).json
            assert listed["total"] == 6
        finally:
            await gateway.drain(0)
            await gateway.close()
