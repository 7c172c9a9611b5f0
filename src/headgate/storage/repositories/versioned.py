"""Configs and guardrails, in a table of their own each, with their versions."""

from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Table, delete, or_, select

from headgate.storage.config_tables import config, guardrail
from headgate.storage.config_tables import version as versions
from headgate.storage.kept_tables import prompt
from headgate.storage.repositories import rows
from headgate.tenancy.stores import Page
from headgate.tenancy.version import Version

V = TypeVar("V")


def remove_versioned(connection: Connection, workspace_id: str) -> None:
    """All configs, guardrails and prompts of a workspace."""
    for table in (config, guardrail, prompt):
        its = select(table.c.id).where(table.c.workspace_id == workspace_id)
        connection.execute(delete(versions).where(versions.c.of_id.in_(its)))
        connection.execute(delete(table).where(table.c.workspace_id == workspace_id))


class SqlVersioned(Generic[V]):
    """A `tenancy.stores.VersionedStore`. `kind` is the noun that the table holds."""

    def __init__(self, connection: Connection, table: Table, kind: type[V]) -> None:
        self._connection = connection
        self._table = table
        self._kind = kind

    def add(self, noun: V, version: Version) -> None:
        rows.add(self._connection, self._table, rows.row_of(noun))
        rows.add(self._connection, versions, rows.row_of(version))

    def update(self, noun: V, version: Version) -> None:
        rows.replace(self._connection, self._table, rows.row_of(noun))
        rows.add(self._connection, versions, rows.row_of(version))

    def remove(self, identifier: str) -> None:
        self._connection.execute(delete(versions).where(versions.c.of_id == identifier))
        self._connection.execute(delete(self._table).where(self._table.c.id == identifier))

    def get(self, organization_id: str, reference: str) -> V | None:
        row = rows.by_reference(self._connection, self._table, organization_id, reference)
        return rows.noun_of(self._kind, row) if row else None

    def find(self, organization_id: str, page: Page, *, workspace_id: str | None = None) -> tuple[list[V], int]:
        table = self._table
        statement = select(table).where(table.c.organization_id == organization_id)
        if workspace_id is not None:
            statement = statement.where(table.c.workspace_id == workspace_id)
        return rows.listed(self._connection, statement, page, self._kind, table.c.created_at, table.c.id)

    def usable(self, organization_id: str, workspace_id: str | None) -> list[V]:
        table = self._table
        here: Any = table.c.workspace_id.is_(None)
        if workspace_id is not None:
            here = or_(here, table.c.workspace_id == workspace_id)
        statement = select(table).where(table.c.organization_id == organization_id, here).order_by(table.c.id)
        return [rows.noun_of(self._kind, row) for row in self._connection.execute(statement).mappings()]

    def versions(self, identifier: str, page: Page) -> tuple[list[Version], int]:
        statement = select(versions).where(versions.c.of_id == identifier)
        return rows.listed(self._connection, statement, page, Version, versions.c.number.desc())
