"""A PostgreSQL for the tests that ask for one."""

from tests.support.services import postgres_url

__all__ = ["postgres_url"]
