"""SQLite: one writer in one thread, which is also the only checkpointer; readers that cannot write.

SQLite before 3.51.3 can corrupt a WAL database that two connections write or checkpoint at the same moment, and many
Pythons link an older one. This arrangement keeps the house clear of that, whatever the version.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool, QueuePool

from headgate.base.errors import InvalidRequest, Unavailable
from headgate.storage.database import JSON, DatabaseFacts, no_text

T = TypeVar("T")

READERS = 4
BUSY_TIMEOUT_MS = 5_000
WAL_RACE_MENDED = (3, 51, 3)
_AWAY = frozenset(
    (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN)
)


def _engine(path: Path, *, threads: int, begin: str, pragmas: tuple[str, ...]) -> Engine:
    def connect() -> sqlite3.Connection:
        # The driver's own transaction handling is off: BEGIN is ours, so that it can say IMMEDIATE.
        # A connection stays in the pool it was made for, but moves between the threads of that pool.
        return sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    pool: dict[str, Any] = {"poolclass": QueuePool, "pool_size": threads, "max_overflow": 0}
    engine = create_engine("sqlite://", creator=connect, **pool, pool_reset_on_return=None, **JSON)

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _: Any) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


class SqliteDatabase:
    """A `Database` on one file. Made by `open_sqlite`."""

    def __init__(self, path: Path, synchronous: str, checkpointer: bool, busy_timeout_ms: int) -> None:
        common = (f"busy_timeout={busy_timeout_ms}", "foreign_keys=ON")
        checkpoint = f"wal_autocheckpoint={1000 if checkpointer else 0}"
        self._writer = _engine(
            path,
            threads=1,
            begin="BEGIN IMMEDIATE",
            pragmas=(*common, "journal_mode=WAL", f"synchronous={synchronous}", checkpoint),
        )
        self._readers = _engine(
            path, threads=READERS, begin="BEGIN", pragmas=(*common, "wal_autocheckpoint=0", "query_only=ON")
        )
        self._writer_thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")
        self._reader_threads = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-reader")

    def facts(self) -> DatabaseFacts:
        warnings: tuple[str, ...] = ()
        if sqlite3.sqlite_version_info < WAL_RACE_MENDED:
            mended = ".".join(str(part) for part in WAL_RACE_MENDED)
            warnings = (
                f"SQLite {sqlite3.sqlite_version} is older than {mended}, which mended a race between two processes "
                "that write one WAL database. Headgate writes from one thread only; let no other program write to it.",
            )
        return DatabaseFacts("sqlite", sqlite3.sqlite_version, warnings)

    async def read(self, function: Callable[[Connection], T]) -> T:
        return await self._run(self._reader_threads, self._readers, function)

    async def write(self, function: Callable[[Connection], T]) -> T:
        return await self._run(self._writer_thread, self._writer, function)

    async def _run(self, threads: ThreadPoolExecutor, engine: Engine, function: Callable[[Connection], T]) -> T:
        def transaction() -> T:
            with engine.begin() as connection:
                return function(connection)

        try:
            return await asyncio.get_running_loop().run_in_executor(threads, transaction)
        except OperationalError as error:
            if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _AWAY:
                raise Unavailable(f"The database does not answer: {error.orig}.") from error
            raise
        except UnicodeEncodeError as error:
            raise no_text() from error

    async def close(self) -> None:
        # Readers first: the last connection to close writes the final checkpoint, and that is the writer's to do.
        for threads, engine in ((self._reader_threads, self._readers), (self._writer_thread, self._writer)):
            await asyncio.to_thread(threads.shutdown)
            engine.dispose()


async def open_sqlite(
    path: str, *, synchronous: str = "FULL", checkpointer: bool = True, busy_timeout_ms: int = BUSY_TIMEOUT_MS
) -> SqliteDatabase:
    """Open or create the file. Its folder must exist."""
    if path in ("", ":memory:"):
        raise InvalidRequest("`database_url` must name a file: sqlite:///path/to/headgate.db", param="database_url")
    if synchronous not in ("FULL", "NORMAL"):
        raise InvalidRequest(f"`synchronous` is FULL or NORMAL, not {synchronous!r}.", param="synchronous")
    database = SqliteDatabase(Path(path), synchronous, checkpointer, busy_timeout_ms)
    try:
        await database.write(lambda connection: connection.exec_driver_sql("SELECT 1").scalar_one())
    except BaseException:
        await database.close()
        raise
    return database


def connect_untouched(path: Path) -> sqlite3.Connection:
    """For reading: not a byte of the database changes, nor of its write-ahead log, at the end neither."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)


@contextmanager
def snapshot(path: Path) -> Iterator[Connection]:
    """One consistent state of the file, read in this thread, and nothing of it changed."""
    engine = create_engine("sqlite://", creator=lambda: connect_untouched(path), poolclass=NullPool, **JSON)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
