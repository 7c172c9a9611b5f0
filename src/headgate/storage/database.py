"""The database as the rest of the house sees it: functions over a connection, run in a transaction.

A repository is a set of plain functions that take a `sqlalchemy.Connection`; it is written once for both engines.
`storage.sqlite` and `storage.postgres` decide in which thread or task such a function runs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

import msgspec
from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from headgate.base.errors import InvalidRequest

T = TypeVar("T")

_encode: Final = msgspec.json.Encoder().encode
JSON: Final[dict[str, Callable[[Any], Any]]] = {
    "json_serializer": lambda value: _encode(value).decode(),
    "json_deserializer": msgspec.json.decode,
}
"""For the engines: how documents are written and read."""


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What was found when the database was opened."""

    engine: str
    """`sqlite` or `postgresql`."""
    version: str
    """The engine's own version, for example `3.45.1`."""
    warnings: tuple[str, ...] = ()
    """Sentences an operator should read at start."""


class Database(Protocol):
    """Transactions on one database.

    The function may be called in another thread: it must touch nothing but its connection and what it was given.
    If it raises, the transaction is rolled back and the exception comes out unchanged. A database that cannot be
    reached, or is locked for longer than the busy timeout, raises `Unavailable`.
    A cancelled caller does not learn whether its transaction was committed.
    """

    def facts(self) -> DatabaseFacts: ...

    async def read(self, function: Callable[[Connection], T]) -> T:
        """Run it on one consistent snapshot. It cannot write."""
        ...

    async def write(self, function: Callable[[Connection], T]) -> T:
        """Run it in one transaction, committed when it returns. On SQLite writes run one after another."""
        ...

    async def close(self) -> None:
        """Finish what runs, then close every connection. Nothing may be called afterwards."""
        ...


def no_text() -> InvalidRequest:
    """What becomes of a statement with a text that the engine cannot hold: it came from whoever asked."""
    return InvalidRequest("A text holds a character that is none: a NUL, or half of a surrogate pair.")


async def open_database(
    url: str, *, synchronous: str = "FULL", checkpointer: bool = True, pooler: bool = False
) -> Database:
    """Open `sqlite:///path/to/file` or `postgresql://user@host/name`.

    `synchronous` (SQLite) is `FULL`: a commit survives a power cut, or `NORMAL`: it survives a crash of the process
    only. `checkpointer=False` (SQLite) is for a second process beside a running server, such as a CLI command.
    `pooler` (PostgreSQL): one stands before it that gives each transaction another connection, as PgBouncer does.
    Raises `InvalidRequest` on a URL that is neither, `Unavailable` when the database does not answer.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise InvalidRequest("`database_url` is not a URL. Use sqlite:///path or postgresql://…", param="database_url")  # noqa: B904 - the cause repeats the URL, password included
    if parsed.drivername == "sqlite":
        from headgate.storage.sqlite import open_sqlite

        return await open_sqlite(parsed.database or "", synchronous=synchronous, checkpointer=checkpointer)
    if parsed.drivername in ("postgresql", "postgres"):
        from headgate.storage.postgres import open_postgres

        return await open_postgres(parsed, pooler=pooler)
    raise InvalidRequest(
        f"`database_url` names the engine {parsed.drivername!r}. Use sqlite:///path or postgresql://user@host/name.",
        param="database_url",
    )
