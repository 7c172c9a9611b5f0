from tests.support.databases import database, database_url, empty_database
from tests.support.services import postgres_url

__all__ = ["database", "database_url", "empty_database", "postgres_url"]
