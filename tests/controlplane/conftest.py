from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from headgate.storage.database import open_database
from headgate.storage.migrate import upgrade
from tests.support.administration import World, founded


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A new installation on SQLite; the stores themselves are tested on both engines."""
    database = await open_database(f"sqlite:///{tmp_path}/headgate.db", synchronous="NORMAL")
    try:
        await upgrade(database)
        async with founded(database) as made:
            yield made
    finally:
        await database.close()
