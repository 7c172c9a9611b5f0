"""What an error of PostgreSQL's means: the database is away for a while, or the statement was wrong."""

from typing import Final

import asyncpg
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from headgate.base.errors import HeadgateError, Unavailable
from headgate.storage.database import no_text

_AWAY: Final = {
    "08": "The database closed the connection.",
    "25006": "The database takes no writes now: it is read-only.",
    "28": "The database does not let Headgate in.",
    "3D": "The database is not there.",
    "40": "The database gave up a transaction that stood in another's way.",
    "53100": "The database has no room left on its disk.",
    "53300": "The database has no connection left.",
    "53": "The database has not enough resources.",
    "55P03": "The database waits for another transaction.",
    "57014": "The database broke off a statement.",
    "57": "The database is shutting down, or starting.",
    "58": "The database's own system failed.",
}
"""By SQLSTATE, or by its class: what goes by, and the same statement may succeed again."""
_NO_TEXT: Final = "22021"
"""`character_not_in_repertoire`: a NUL."""
_READ_ONLY: Final = "25006"
_CHANGED: Final = AsyncAdapt_asyncpg_dbapi.InvalidCachedStatementError
"""Another process has brought the schema up to date; SQLAlchemy prepares its statements anew."""


def meaning_of(error: BaseException, *, reading: bool = False) -> HeadgateError | None:
    """As the rest of the house is told it; None: it was the statement. A write within a read (`reading`) is wrong."""
    if isinstance(error, (OperationalError, InterfaceError, PoolTimeout, ConnectionError)):
        return Unavailable(_sentence(error) or "The database does not answer.")
    if isinstance(error, DBAPIError) and isinstance(error.orig, _CHANGED):
        return Unavailable("The database's tables were changed a moment ago.")
    if isinstance(error, (DBAPIError, asyncpg.PostgresError)):
        if (reading and _sqlstate(error) == _READ_ONLY) or (sentence := _sentence(error)) is None:
            return _wrong_text(error)
        return Unavailable(sentence)
    if isinstance(error, RuntimeError) and "the handler is closed" in str(error):
        return Unavailable("The database closed the connection.")  # uvloop's word for it, before the driver knows
    if isinstance(error, asyncpg.InterfaceError) and not isinstance(error, ValueError):
        return Unavailable("The database closed the connection.")  # the driver's own word for it
    return None


def _sqlstate(error: BaseException) -> str:
    found = getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlstate", None)
    return found or ""


def _sentence(error: BaseException) -> str | None:
    state = _sqlstate(error)
    found = _AWAY.get(state) or _AWAY.get(state[:2])
    if found is None and isinstance(error, DBAPIError) and error.connection_invalidated:
        return _AWAY["08"]
    return found


def _wrong_text(error: BaseException) -> HeadgateError | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return no_text() if _sqlstate(error) == _NO_TEXT or "surrogates not allowed" in str(cause) else None
