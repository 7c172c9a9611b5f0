"""PostgreSQL through asyncpg. Needs the `scale` extra."""

from collections.abc import Callable
from typing import Final, TypeVar

from sqlalchemy import URL, Connection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from headgate.base.errors import Unavailable
from headgate.storage.database import JSON, DatabaseFacts, no_text

T = TypeVar("T")

POOL_SIZE = 8
_NO_TEXT: Final = "22021"
"""`character_not_in_repertoire`: a NUL."""


class PostgresDatabase:
    """A `Database` on a PostgreSQL server. Made by `open_postgres`."""

    def __init__(self, url: URL) -> None:
        self._engine: AsyncEngine = create_async_engine(
            url.set(drivername="postgresql+asyncpg"), pool_size=POOL_SIZE, max_overflow=0, pool_pre_ping=True, **JSON
        )
        # One snapshot for all statements of a read: a policy is never put together from two moments.
        self._snapshots = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._version = "unknown"

    def facts(self) -> DatabaseFacts:
        return DatabaseFacts("postgresql", self._version)

    async def read(self, function: Callable[[Connection], T]) -> T:
        return await self._run(self._snapshots, function)

    async def write(self, function: Callable[[Connection], T]) -> T:
        return await self._run(self._engine, function)

    async def _run(self, engine: AsyncEngine, function: Callable[[Connection], T]) -> T:
        try:
            async with engine.begin() as connection:
                return await connection.run_sync(function)
        except (OperationalError, InterfaceError, ConnectionError, TimeoutError) as error:
            raise Unavailable("The database does not answer.") from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise Unavailable("The database closed the connection.") from error
            if getattr(error.orig, "sqlstate", None) == _NO_TEXT or "surrogates not allowed" in str(error.orig):
                raise no_text() from error
            raise

    async def learn_version(self) -> None:
        self._version = await self.read(lambda c: str(c.exec_driver_sql("SHOW server_version").scalar_one()))

    async def close(self) -> None:
        await self._engine.dispose()


async def open_postgres(url: URL) -> PostgresDatabase:
    """Connect once, so that a wrong address or password is known at start."""
    database = PostgresDatabase(url)
    try:
        await database.learn_version()
    except BaseException:
        await database.close()
        raise
    return database
