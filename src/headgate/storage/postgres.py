"""PostgreSQL through asyncpg. Needs the `scale` extra."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Final, TypeVar

import asyncpg
from sqlalchemy import URL, Connection, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from headgate.base.errors import HeadgateError, Unavailable
from headgate.storage.database import JSON, DatabaseFacts
from headgate.storage.postgres_errors import meaning_of

T = TypeVar("T")

POOL_SIZE: Final = 8
CONNECT_S: Final = 5.0
"""How long a transaction waits for a connection that answers."""
GONE_AFTER_S: Final = 20
"""A peer that confirms nothing for so long is gone, and the connection with it; one that is only slow confirms."""
_POOLED: Final[dict[str, Any]] = {
    "statement_cache_size": 0,
    "prepared_statement_cache_size": 0,
    "prepared_statement_name_func": lambda: "",
}
"""For a pooler that gives each transaction another connection: nothing may be expected of the one before."""


class PostgresDatabase:
    """A `Database` on a PostgreSQL server. Made by `open_postgres`."""

    def __init__(self, url: URL, *, pooler: bool = False) -> None:
        url, options = _for_the_driver(url)
        self._engine: AsyncEngine = create_async_engine(
            url,
            pool_size=POOL_SIZE,
            max_overflow=0,
            pool_pre_ping=True,
            connect_args={**options, **(_POOLED if pooler else {})},
            **JSON,
        )
        self._how = {**self._engine.dialect.create_connect_args(url)[1], **options}
        event.listen(
            self._engine.sync_engine, "connect", lambda made, _: _notice_a_peer_that_is_gone(made.driver_connection)
        )
        # One snapshot for all statements of a read: a policy is never put together from two moments.
        self._snapshots = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._version = "unknown"

    def facts(self) -> DatabaseFacts:
        return DatabaseFacts("postgresql", self._version)

    async def read(self, function: Callable[[Connection], T]) -> T:
        return await self._run(self._snapshots, function, reading=True)

    async def write(self, function: Callable[[Connection], T]) -> T:
        return await self._run(self._engine, function, reading=False)

    async def _run(self, engine: AsyncEngine, function: Callable[[Connection], T], *, reading: bool) -> T:
        try:
            async with _connected(engine) as connection, connection.begin():
                return await connection.run_sync(function)
        except HeadgateError:
            raise
        except Exception as error:
            if (meaning := meaning_of(error, reading=reading)) is not None:
                raise meaning from error
            raise

    async def listen(self, channel: str, wake: Callable[[], None]) -> None:
        """A `notices.Listener`."""
        ended = asyncio.Event()
        try:
            connection = await asyncpg.connect(**self._how)
            try:
                _notice_a_peer_that_is_gone(connection)
                connection.add_termination_listener(lambda _: ended.set())
                await connection.add_listener(channel, lambda *_: wake())
                wake()
                await ended.wait()
            finally:
                connection.terminate()
        except OSError as error:
            raise Unavailable("The database does not answer.") from error
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise meaning_of(error) or error from error

    async def learn_version(self) -> None:
        self._version = await self.read(lambda c: str(c.exec_driver_sql("SHOW server_version").scalar_one()))

    async def close(self) -> None:
        await self._engine.dispose()


@asynccontextmanager
async def _connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """From the pool, once it has answered."""
    async with AsyncExitStack() as open_ones:
        try:
            async with asyncio.timeout(CONNECT_S):
                connection = await open_ones.enter_async_context(engine.connect())
        except OSError as error:
            raise Unavailable("The database does not answer.") from error
        yield connection


def _for_the_driver(url: URL) -> tuple[URL, dict[str, Any]]:
    """`sslmode` is what libpq calls it, and everybody writes."""
    options: dict[str, Any] = {"timeout": CONNECT_S, "server_settings": {"application_name": "headgate"}}
    if isinstance(mode := url.query.get("sslmode"), str):
        options["ssl"] = mode
    return url.difference_update_query(["sslmode"]).set(drivername="postgresql+asyncpg"), options


def _notice_a_peer_that_is_gone(connection: Any) -> None:
    """A network that is cut says nothing: without this a transaction would wait for a quarter of an hour."""
    transport = connection._transport  # the driver has no other way to its socket
    descriptor = transport.get_extra_info("socket").fileno()
    with socket.socket(fileno=os.dup(descriptor)) as same, suppress(AttributeError):
        if same.family == socket.AF_UNIX:
            return
        same.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        same.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, GONE_AFTER_S // 2)
        same.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, GONE_AFTER_S // 4)
        same.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 2)
        same.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GONE_AFTER_S * 1000)


async def open_postgres(url: URL, *, pooler: bool = False) -> PostgresDatabase:
    """Connect once, so that a wrong address or password is known at start. `pooler`: one stands before it that gives
    each transaction another connection, as PgBouncer does."""
    database = PostgresDatabase(url, pooler=pooler)
    try:
        await database.learn_version()
    except BaseException:
        await database.close()
        raise
    return database
