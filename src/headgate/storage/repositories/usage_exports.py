"""Exports of usage on SQL."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, RowMapping, func, insert, select, update

from headgate.storage.log_tables import usage_export as table
from headgate.tenancy.stores import Page
from headgate.tenancy.usage_export import ExportFormat, ExportStatus, UsageExport

_FIELDS: Final = tuple(field.name for field in fields(UsageExport))


class SqlUsageExports:
    """A `tenancy.stores.UsageExportStore` on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, export: UsageExport) -> None:
        self._connection.execute(insert(table).values(_row(export)))

    def update(self, export: UsageExport) -> None:
        self._connection.execute(update(table).where(table.c.id == export.id).values(_row(export)))

    def get(self, export_id: str) -> UsageExport | None:
        row = self._connection.execute(select(table).where(table.c.id == export_id)).mappings().first()
        return None if row is None else export_of(row)

    def find(
        self, organization_id: str, page: Page, *, workspace_id: str | None, tenant_id: str | None
    ) -> tuple[Sequence[UsageExport], int]:
        where: list[ColumnElement[bool]] = [table.c.organization_id == organization_id]
        if workspace_id is not None:
            where.append(table.c.workspace_id == workspace_id)
        if tenant_id is not None:
            where.append(table.c.tenant_id == tenant_id)
        total = self._connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one()
        statement = select(table).where(*where).order_by(table.c.created_at.desc(), table.c.id)
        rows = self._connection.execute(statement.offset(page.offset).limit(page.limit)).mappings()
        return [export_of(row) for row in rows], total


def _row(export: UsageExport) -> dict[str, Any]:
    return asdict(export) | {
        "filters": dict(export.filters),
        "requested_data": list(export.requested_data),
        "format": export.format.value,
        "status": export.status.value,
    }


def export_of(row: RowMapping) -> UsageExport:
    """As it was written."""
    named = {name: row[name] for name in _FIELDS}
    shaped = {
        "requested_data": tuple(row["requested_data"]),
        "format": ExportFormat(row["format"]),
        "status": ExportStatus(row["status"]),
    }
    return UsageExport(**{**named, **shaped})
