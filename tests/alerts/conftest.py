import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from headgate.storage.database import Database, open_database
from headgate.storage.migrate import upgrade
from tests.support.alerting import Alerting, alerting
from tests.support.databases import database, database_url, empty_database
from tests.support.services import postgres_url

__all__ = ["database", "database_url", "empty_database", "postgres_url"]


async def _migrate(path: Path) -> None:
    made = await open_database(f"sqlite:///{path}", synchronous="NORMAL")
    await upgrade(made)
    await made.close()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the schema and nothing in it, to copy."""
    path = tmp_path_factory.mktemp("migrated") / "headgate.db"
    asyncio.run(_migrate(path))
    return path


@pytest.fixture
async def quick_database(tmp_path: Path, migrated: Path) -> AsyncIterator[Database]:
    """On SQLite, for tests that are not about the database."""
    path = shutil.copy(migrated, tmp_path / "headgate.db")
    made = await open_database(f"sqlite:///{path}", synchronous="NORMAL")
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
