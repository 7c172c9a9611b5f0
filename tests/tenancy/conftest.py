from collections.abc import AsyncIterator

import pytest

from headgate.storage.database import Database
from tests.support.administration import World, founded
from tests.support.databases import database, database_url, empty_database
from tests.support.services import postgres_url

__all__ = ["database", "database_url", "empty_database", "postgres_url"]


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    """A new installation, once on each engine."""
    async with founded(database) as made:
        yield made
