"""Passwords and sessions of the console."""

from dataclasses import fields
from typing import Any, Final

from sqlalchemy import Connection, delete, select, update

from headgate.storage.console_tables import console_session as table
from headgate.storage.console_tables import user_password
from headgate.storage.people_tables import user_account
from headgate.storage.repositories import rows
from headgate.storage.repositories.people import user_of
from headgate.storage.repositories.sign_in import with_password_alone
from headgate.tenancy.session import Session
from headgate.tenancy.user import User

_FIELDS: Final = tuple(field.name for field in fields(Session))


class SqlPasswords:
    """A `tenancy.people_stores.PasswordStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, user_id: str, hashed: str, now: int) -> None:
        self._connection.execute(delete(user_password).where(user_password.c.user_id == user_id))
        rows.add(self._connection, user_password, {"user_id": user_id, "hash": hashed, "set_at": now})

    def get(self, user_id: str) -> str | None:
        row = rows.one(self._connection, user_password, user_password.c.user_id == user_id)
        return row["hash"] if row else None

    def of_email(self, email: str) -> list[tuple[User, str]]:
        if "\0" in email:
            return []
        statement = (
            select(user_account, user_password.c.hash)
            .join(user_password, user_password.c.user_id == user_account.c.id)
            .where(user_account.c.email == email)
        )
        return [(user_of(row), row["hash"]) for row in self._connection.execute(statement).mappings()]


class SqlSessions:
    """A `tenancy.people_stores.SessionStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, session: Session) -> None:
        rows.add(self._connection, table, rows.row_of(session))

    def get(self, session_id: str) -> Session | None:
        row = rows.one(self._connection, table, table.c.id == session_id)
        return _session(row) if row else None

    def with_token(self, token_hash: bytes) -> Session | None:
        row = rows.one(self._connection, table, table.c.token_hash == token_hash)
        return _session(row) if row else None

    def of(self, session: Session) -> list[Session]:
        same = table.c.user_id == session.user_id if session.user_id is not None else table.c.key_id == session.key_id
        statement = select(table).where(same).order_by(table.c.created_at.desc(), table.c.id)
        return [_session(row) for row in self._connection.execute(statement).mappings()]

    def seen(self, session_id: str, at: int) -> None:
        self._set(session_id, seen_at=at)

    def choose(self, session_id: str, workspace_id: str) -> None:
        self._set(session_id, workspace_id=workspace_id)

    def remove(self, session_id: str) -> None:
        self._connection.execute(delete(table).where(table.c.id == session_id))

    def remove_all(self, user_id: str, but: str = "") -> None:
        self._connection.execute(delete(table).where(table.c.user_id == user_id, table.c.id != but))

    def remove_without_second_factor(self, organization_id: str) -> None:
        own = table.c.organization_id == organization_id
        self._connection.execute(delete(table).where(own, with_password_alone(table.c.user_id)))

    def prune(self, now: int) -> None:
        self._connection.execute(delete(table).where(table.c.expires_at <= now))

    def _set(self, session_id: str, **values: Any) -> None:
        self._connection.execute(update(table).where(table.c.id == session_id).values(**values))


def _session(row: Any) -> Session:
    return Session(**{name: row[name] for name in _FIELDS})
