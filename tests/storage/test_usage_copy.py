"""Usage records by COPY: many writers at once, the same records in different batches, and each of them once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from random import Random

import pytest
from sqlalchemy import Connection, func, select, text

from headgate.base.clock import SystemClock
from headgate.storage import usage_rows
from headgate.storage.alert_rows import AlertedRows
from headgate.storage.database import Database, open_database
from headgate.storage.migrate import upgrade
from headgate.storage.partitions import make_months
from headgate.storage.tables import usage_record
from tests.storage.test_usage_writer import START, record
from tests.support.databases import create_postgres_database

DAY = 86_400 * 10**9


@pytest.fixture
async def four(postgres_url: str) -> AsyncIterator[list[Database]]:
    """Processes on one database, each with its own connections; the months of the records are there."""
    url = await create_postgres_database(postgres_url)
    async with AsyncExitStack() as closing:
        opened = []
        for _ in range(4):
            opened.append(await open_database(url))
            closing.push_async_callback(opened[-1].close)
        await upgrade(opened[0])
        await opened[0].write(lambda connection: make_months(connection, START))
        yield opened


def rows(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(usage_record)).scalar_one()


@pytest.mark.parametrize("seed", range(3))
async def test_writers_that_share_records_write_and_count_each_once(four: list[Database], seed: int) -> None:
    """Batches overlap, in any order, over three months; what is kept of them in cells is the same."""
    random = Random(seed)
    records = [record(number, started_at=START + number % 70 * DAY, cost=number) for number in range(600)]
    batches = [random.sample(records, 60) for _ in range(40)]
    batches += [records[start : start + 100] for start in range(0, 600, 100)]
    random.shuffle(batches)

    async def write(place: int) -> None:
        writer = AlertedRows(SystemClock())
        for batch in batches[place::4]:
            await four[place].write(partial(writer.insert, records=batch))

    await asyncio.gather(*map(write, range(4)))
    assert await four[0].read(rows) == 600
    cells = text("SELECT kind, sum(calls), sum(cost) FROM usage_cell GROUP BY kind ORDER BY kind")
    found = await four[0].read(lambda c: [(kind, int(calls), int(cost)) for kind, calls, cost in c.execute(cells)])
    assert found == [(kind, 600, sum(range(600))) for kind in range(4)]


async def test_those_that_are_there_are_told_from_new_ones(four: list[Database]) -> None:
    """In one batch: the new ones are written and named, and the transaction goes on."""

    def work(connection: Connection) -> list[str]:
        new, written = usage_rows.insert_new(connection, [record(number) for number in (3, 1, 2, 4)])
        assert [row[0] for row in written] == [each.request_id for each in new]
        connection.execute(text("UPDATE counter SET value = value + 1"))
        return [each.request_id for each in new]

    await four[0].write(lambda connection: usage_rows.insert(connection, [record(1), record(4)]))
    assert await four[1].write(work) == [record(2).request_id, record(3).request_id]
    assert await four[2].read(rows) == 4
