"""Limit policies, in the table `limit_policy`."""

from sqlalchemy import Connection, and_, delete, func, or_, select, update

from headgate.storage.policy_records import fact_column, looked_at
from headgate.storage.repositories import rows
from headgate.storage.tables import limit_policy as table
from headgate.storage.tables import usage_record
from headgate.tenancy.limit_policy import LimitKind, LimitPolicy, Sought, Values
from headgate.tenancy.stores import Page


class SqlLimitPolicies:
    """A `tenancy.stores.LimitPolicyStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, policy: LimitPolicy) -> None:
        rows.add(self._connection, table, rows.row_of(policy))

    def update(self, policy: LimitPolicy) -> None:
        rows.replace(self._connection, table, rows.row_of(policy))

    def remove(self, policy_id: str) -> None:
        self._connection.execute(delete(table).where(table.c.id == policy_id))

    def touch(self, organization_id: str, at: int) -> None:
        statement = update(table).where(table.c.organization_id == organization_id)
        self._connection.execute(statement.values(updated_at=at))

    def get(self, organization_id: str, policy_id: str) -> LimitPolicy | None:
        if "\0" in policy_id:
            return None
        row = rows.one(self._connection, table, table.c.organization_id == organization_id, table.c.id == policy_id)
        return rows.noun_of(LimitPolicy, row) if row else None

    def find(self, organization_id: str, kind: LimitKind, page: Page, sought: Sought) -> tuple[list[LimitPolicy], int]:
        statement = select(table).where(table.c.organization_id == organization_id, table.c.limit_kind == kind.value)
        if sought.workspace_id is not None:
            statement = statement.where(table.c.workspace_id == sought.workspace_id)
        limit = (table.c.rate_limits if kind is LimitKind.RATE else table.c.usage_limits)[0]
        for name, wanted in (("resource", sought.resource), ("unit", sought.unit)):
            if wanted is not None:
                statement = statement.where(limit[name].as_string() == wanted)
        return rows.listed(self._connection, statement, page, LimitPolicy, table.c.created_at, table.c.id)

    def groups(self, policy: LimitPolicy, since: int, page: Page) -> tuple[list[Values], int]:
        found = [fact_column(key).label(f"fact_{place}") for place, key in enumerate(policy.group_by)]
        calls = and_(looked_at(policy), usage_record.c.started_at >= since)
        if not found:
            there = self._connection.execute(select(usage_record.c.request_id).where(calls).limit(1)).first()
            return ([()] if there else []), int(there is not None)
        # Counted beside, not before: it is the looking through the calls that takes the time.
        there_are = select(*found).where(calls).distinct().subquery()
        counted = select(*there_are.c, func.count().over()).order_by(*there_are.c)
        found_rows = self._connection.execute(counted.offset(page.offset).limit(page.limit)).all()
        if not found_rows and page.offset:
            return [], self._connection.execute(select(func.count()).select_from(there_are)).scalar_one()
        return [tuple(row[:-1]) for row in found_rows], found_rows[0][-1] if found_rows else 0

    def in_force(self, organization_id: str, workspace_id: str) -> list[LimitPolicy]:
        here = or_(table.c.workspace_id.is_(None), table.c.workspace_id == workspace_id)
        statement = select(table).where(table.c.organization_id == organization_id, here).order_by(table.c.id)
        return [rows.noun_of(LimitPolicy, row) for row in self._connection.execute(statement).mappings()]


def every_limit_policy(connection: Connection) -> list[LimitPolicy]:
    """Of all organizations."""
    found = connection.execute(select(table).order_by(table.c.id)).mappings()
    return [rows.noun_of(LimitPolicy, row) for row in found]
