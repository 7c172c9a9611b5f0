from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from headgate.storage.database import open_database
from tests.support.administration import World, founded
from tests.support.schema import sqlite_with_schema


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A new installation on SQLite; the stores themselves are tested on both engines."""
    database = await open_database(sqlite_with_schema(tmp_path), synchronous="NORMAL")
    try:
        async with founded(database) as made:
            yield made
    finally:
        await database.close()
