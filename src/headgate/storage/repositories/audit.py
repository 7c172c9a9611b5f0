"""The audit log. There is no update and no delete."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, or_, select

from headgate.storage.repositories import rows
from headgate.storage.tables import audit as table
from headgate.tenancy.audit import AuditEntry, AuditFilter
from headgate.tenancy.origin import Origin
from headgate.tenancy.page import Page

_OWN: Final = tuple(field.name for field in fields(AuditEntry) if field.name != "origin")
_OF_ORIGIN: Final = tuple(field.name for field in fields(Origin))


class SqlAudit:
    """A `tenancy.stores.AuditStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, entry: AuditEntry) -> None:
        row = {name: getattr(entry, name) for name in _OWN}
        rows.add(self._connection, table, row | (asdict(entry.origin) if entry.origin else {}))

    def last(self, organization_id: str) -> AuditEntry | None:
        statement = select(table).where(table.c.organization_id == organization_id).order_by(table.c.seq.desc())
        row = self._connection.execute(statement.limit(1)).mappings().first()
        return _entry(row) if row else None

    def after(self, organization_id: str, seq: int, limit: int) -> list[AuditEntry]:
        statement = (
            select(table)
            .where(table.c.organization_id == organization_id, table.c.seq > seq)
            .order_by(table.c.seq)
            .limit(limit)
        )
        return [_entry(row) for row in self._connection.execute(statement).mappings()]

    def find(self, organization_id: str, page: Page, wanted: AuditFilter) -> tuple[list[AuditEntry], int]:
        statement = select(table).where(table.c.organization_id == organization_id, *_conditions(wanted))
        found, total = rows.page_of(self._connection, statement, page, table.c.seq.desc())
        return [_entry(row) for row in found], total


def _entry(row: Mapping[Any, Any]) -> AuditEntry:
    origin = None
    if row["request_id"] is not None:
        origin = Origin(**{name: row[name] for name in _OF_ORIGIN})
    return AuditEntry(**{name: row[name] for name in _OWN}, origin=origin)


def _conditions(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    at = table.c
    equal = ("method", "uri", "request_id", "workspace_id", "action", "client_ip", "country")
    found = [at[name] == value for name in equal if (value := getattr(wanted, name)) is not None]
    if wanted.start is not None:
        found.append(at.at >= wanted.start)
    if wanted.end is not None:
        found.append(at.at <= wanted.end)
    if wanted.requested:
        found.append(at.request_id.is_not(None))
    if wanted.resource_type is not None:
        found.append(at.resource.startswith(f"{wanted.resource_type}:", autoescape=True))
    if wanted.user_id is not None:
        found.append(or_(at.user_id == wanted.user_id, at.actor == f"api_key:{wanted.user_id}"))
    if wanted.user_type is not None:
        user = at.user_id.is_not(None)
        found.append(user if wanted.user_type == "user" else ~user & at.actor.startswith(f"{wanted.user_type}:"))
    return found
