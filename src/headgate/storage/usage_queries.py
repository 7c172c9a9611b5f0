"""Reading usage records: one, the latest, and sums. Every function takes a connection."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, select
from sqlalchemy.sql.functions import coalesce

from headgate.ledger.record import UsageRecord
from headgate.storage.tables import usage_record as table
from headgate.storage.usage_rows import record_of


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageFilter:
    """All that are set must hold. Ids, not slugs; times in nanoseconds since the epoch, `until` not included."""

    organization_id: str | None = None
    workspace_id: str | None = None
    tenant_id: str | None = None
    key_id: str | None = None
    integration_id: str | None = None
    since: int | None = None
    until: int | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        owners = ("organization_id", "workspace_id", "tenant_id", "key_id", "integration_id")
        found = [table.c[name] == value for name in owners if (value := getattr(self, name)) is not None]
        if self.since is not None:
            found.append(table.c.started_at >= self.since)
        if self.until is not None:
            found.append(table.c.started_at < self.until)
        return found


@dataclass(frozen=True, slots=True)
class UsageTotals:
    """Sums; `cost` in nano-dollars."""

    calls: int
    input_tokens: int
    output_tokens: int
    cost: int


EVERYTHING = UsageFilter()


def get(connection: Connection, request_id: str, among: UsageFilter = EVERYTHING) -> UsageRecord | None:
    """The record of one call; None if there is none, or it is not among these."""
    if "\0" in request_id:
        return None
    statement = select(table).where(table.c.request_id == request_id, *among.conditions())
    row = connection.execute(statement).mappings().first()
    return record_of(row) if row else None


def recent(connection: Connection, among: UsageFilter, limit: int = 100) -> list[UsageRecord]:
    """The latest first."""
    statement = select(table).where(*among.conditions())
    statement = statement.order_by(table.c.started_at.desc(), table.c.request_id.desc()).limit(limit)
    return [record_of(row) for row in connection.execute(statement).mappings()]


def totals(connection: Connection, among: UsageFilter) -> UsageTotals:
    """Sums over all records among these."""
    columns = (table.c.input_tokens, table.c.output_tokens, table.c.cost)
    statement = select(func.count(), *(coalesce(func.sum(column), 0) for column in columns)).where(*among.conditions())
    calls, *sums = connection.execute(statement).one()
    return UsageTotals(calls, *(int(total) for total in sums))
