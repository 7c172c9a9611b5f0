"""A fresh database of each engine for every test that asks for one."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from headgate.bootstrap.places import DATABASE_FILE
from headgate.storage.database import Database, open_database
from tests.support.schema import postgres_template, sqlite_with_schema


async def create_postgres_database(server_url: str, *, schema: bool = False) -> str:
    """A new database on a running server, empty or with the schema and nothing in it; its URL."""
    like = f" TEMPLATE {postgres_template(server_url)}" if schema else ""
    name = f"test_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(server_url)
    try:
        await connection.execute(f"CREATE DATABASE {name}{like}")
    finally:
        await connection.close()
    return f"{server_url.rpartition('/')[0]}/{name}"


async def records_in(url: str) -> dict[str, dict[str, Any]]:
    """The usage records of a PostgreSQL database by request id."""
    connection = await asyncpg.connect(url)
    try:
        return {row["request_id"]: dict(row) for row in await connection.fetch("SELECT * FROM usage_record")}
    finally:
        await connection.close()


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty database, or, for who asks for `database`, of one with the schema: the test runs once for each
    engine."""
    schema = "database" in request.fixturenames
    if request.param == "sqlite":
        return sqlite_with_schema(tmp_path) if schema else f"sqlite:///{tmp_path / DATABASE_FILE}"
    server: str = request.getfixturevalue("postgres_url")
    return await create_postgres_database(server, schema=schema)


@pytest.fixture
async def empty_database(database_url: str) -> AsyncIterator[Database]:
    database = await open_database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def database(empty_database: Database) -> Database:
    """With the schema: see `database_url`."""
    return empty_database
