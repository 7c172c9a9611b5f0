import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from headgate.storage.database import open_database
from headgate.storage.migrate import upgrade
from tests.support.administration import World, founded


async def _migrate(path: Path) -> None:
    database = await open_database(f"sqlite:///{path}", synchronous="NORMAL")
    await upgrade(database)
    await database.close()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the schema and nothing in it, to copy."""
    path = tmp_path_factory.mktemp("migrated") / "headgate.db"
    asyncio.run(_migrate(path))
    return path


@pytest.fixture
async def world(tmp_path: Path, migrated: Path) -> AsyncIterator[World]:
    """A new installation on SQLite; the stores themselves are tested on both engines."""
    path = shutil.copy(migrated, tmp_path / "headgate.db")
    database = await open_database(f"sqlite:///{path}", synchronous="NORMAL")
    try:
        async with founded(database) as made:
            yield made
    finally:
        await database.close()
