"""The schema, made once in a test process for each engine and copied from then on: to migrate takes longer than most
tests do."""

import asyncio
import atexit
import shutil
import tempfile
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg

from headgate.bootstrap.places import DATABASE_FILE
from headgate.storage.database import open_database
from headgate.storage.migrate import upgrade

TEMPLATE = "headgate_schema"


def sqlite_with_schema(directory: Path) -> str:
    """The URL of a file there under the name that a gateway looks for: with the schema and nothing in it, unless it was
    there before."""
    path = directory / DATABASE_FILE
    if not path.exists():
        shutil.copy(_sqlite(), path)
    return f"sqlite:///{path}"


@cache
def _sqlite() -> Path:
    directory = tempfile.mkdtemp(prefix="headgate_schema_")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    path = Path(directory) / DATABASE_FILE
    _run(_migrate(f"sqlite:///{path}"))
    return path


@cache
def postgres_template(server_url: str) -> str:
    """The name of a database on that server, with the schema and nothing in it, to copy."""

    async def make() -> None:
        connection = await asyncpg.connect(server_url)
        try:
            await connection.execute(f"CREATE DATABASE {TEMPLATE}")
        finally:
            await connection.close()
        await _migrate(f"{server_url.rpartition('/')[0]}/{TEMPLATE}")

    _run(make())
    return TEMPLATE


async def _migrate(url: str) -> None:
    database = await open_database(url)
    try:
        await upgrade(database)
    finally:
        await database.close()


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Beside the event loop that may be running here."""
    with ThreadPoolExecutor(1) as beside:
        beside.submit(asyncio.run, work).result()
