"""The audit log. There is no update and no delete."""

from sqlalchemy import Connection, select

from headgate.storage.repositories import rows
from headgate.storage.tables import audit as table
from headgate.tenancy.audit import AuditEntry


class SqlAudit:
    """A `tenancy.stores.AuditStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, entry: AuditEntry) -> None:
        rows.add(self._connection, table, rows.row_of(entry))

    def last(self, organization_id: str) -> AuditEntry | None:
        statement = select(table).where(table.c.organization_id == organization_id).order_by(table.c.seq.desc())
        row = self._connection.execute(statement.limit(1)).mappings().first()
        return rows.noun_of(AuditEntry, row) if row else None

    def after(self, organization_id: str, seq: int, limit: int) -> list[AuditEntry]:
        statement = (
            select(table)
            .where(table.c.organization_id == organization_id, table.c.seq > seq)
            .order_by(table.c.seq)
            .limit(limit)
        )
        return [rows.noun_of(AuditEntry, row) for row in self._connection.execute(statement).mappings()]
