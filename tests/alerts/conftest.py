from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from headgate.storage.database import Database, open_database
from tests.support.alerting import Alerting, alerting
from tests.support.databases import database, database_url, empty_database
from tests.support.schema import sqlite_with_schema
from tests.support.services import postgres_url

__all__ = ["database", "database_url", "empty_database", "postgres_url"]


@pytest.fixture
async def quick_database(tmp_path: Path) -> AsyncIterator[Database]:
    """On SQLite, for tests that are not about the database."""
    made = await open_database(sqlite_with_schema(tmp_path), synchronous="NORMAL")
    yield made
    await made.close()


@pytest.fixture
async def alerts(quick_database: Database) -> AsyncIterator[Alerting]:
    async with alerting(quick_database) as made:
        yield made


@pytest.fixture
async def both(database: Database) -> AsyncIterator[Alerting]:
    """Once on each engine."""
    async with alerting(database) as made:
        yield made
