"""Second factors, identities at issuers, and links that set a password."""

from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, and_, delete, select

from headgate.storage.console_tables import user_password
from headgate.storage.repositories import rows
from headgate.storage.sign_in_tables import password_reset, second_factor, user_identity
from headgate.tenancy.password_reset import PasswordReset
from headgate.tenancy.second_factor import SecondFactor


def with_password_alone(user_id: Column[Any]) -> ColumnElement[bool]:
    """Of those users who have a password, and no second factor beside it."""
    proven = select(second_factor.c.user_id).where(second_factor.c.confirmed_at.is_not(None))
    return and_(user_id.in_(select(user_password.c.user_id)), user_id.not_in(proven))


class SqlSecondFactors:
    """A `tenancy.sign_in_stores.SecondFactorStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, factor: SecondFactor) -> None:
        self.remove(factor.user_id)
        rows.add(self._connection, second_factor, rows.row_of(factor))

    def get(self, user_id: str) -> SecondFactor | None:
        row = rows.one(self._connection, second_factor, second_factor.c.user_id == user_id)
        return rows.noun_of(SecondFactor, row) if row else None

    def remove(self, user_id: str) -> None:
        self._connection.execute(delete(second_factor).where(second_factor.c.user_id == user_id))

    def of_organization(self, organization_id: str) -> list[SecondFactor]:
        its = second_factor.c
        statement = select(second_factor).where(its.organization_id == organization_id).order_by(its.user_id)
        return [rows.noun_of(SecondFactor, row) for row in self._connection.execute(statement).mappings()]


class SqlIdentities:
    """A `tenancy.sign_in_stores.IdentityStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def link(self, issuer: str, subject: str, user_id: str, now: int) -> None:
        row = {"issuer": issuer, "subject": subject, "user_id": user_id, "linked_at": now}
        rows.add(self._connection, user_identity, row)

    def user_of(self, issuer: str, subject: str) -> str | None:
        its = user_identity.c
        row = rows.one(self._connection, user_identity, its.issuer == issuer, its.subject == subject)
        return row["user_id"] if row else None

    def subject_of(self, issuer: str, user_id: str) -> str | None:
        its = user_identity.c
        row = rows.one(self._connection, user_identity, its.issuer == issuer, its.user_id == user_id)
        return row["subject"] if row else None


class SqlPasswordResets:
    """A `tenancy.sign_in_stores.PasswordResetStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, reset: PasswordReset) -> None:
        rows.add(self._connection, password_reset, rows.row_of(reset))

    def get(self, token_hash: bytes) -> PasswordReset | None:
        row = rows.one(self._connection, password_reset, password_reset.c.token_hash == token_hash)
        return rows.noun_of(PasswordReset, row) if row else None

    def remove_all(self, user_id: str) -> None:
        self._connection.execute(delete(password_reset).where(password_reset.c.user_id == user_id))

    def prune(self, now: int) -> None:
        self._connection.execute(delete(password_reset).where(password_reset.c.expires_at <= now))
