"""`analytics.stores.FeedbackStore` on SQL."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from sqlalchemy import BigInteger, ColumnElement, Connection, cast, func, insert, literal, select, update
from sqlalchemy.sql.functions import coalesce

from headgate.analytics.calls import Calls
from headgate.analytics.kept import Feedback
from headgate.analytics.stores import Score
from headgate.base.clock import NANOS_PER_SECOND
from headgate.storage.analytics.cells import QUARTER_S
from headgate.storage.database import Database
from headgate.storage.log_tables import feedback as table
from headgate.storage.tables import usage_record

_OF_TRACE: Final = 100


class SqlFeedback:
    """On any of the databases."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, feedback: Sequence[Feedback]) -> None:
        rows = [asdict(each) for each in feedback]
        await self._database.write(lambda connection: connection.execute(insert(table), rows))

    async def get(self, organization_id: str, feedback_id: str) -> Feedback | None:
        if "\0" in feedback_id:
            return None
        statement = select(table).where(table.c.organization_id == organization_id, table.c.id == feedback_id)
        row = await self._database.read(lambda connection: connection.execute(statement).mappings().first())
        return None if row is None else Feedback(**row)

    async def of_trace(self, organization_id: str, trace_id: str) -> Sequence[Feedback]:
        same = (table.c.organization_id == organization_id, table.c.trace_id == trace_id)
        statement = select(table).where(*same).order_by(table.c.created_at).limit(_OF_TRACE)
        rows = await self._database.read(lambda connection: connection.execute(statement).mappings().all())
        return [Feedback(**row) for row in rows]

    async def update(self, feedback: Feedback) -> None:
        statement = update(table).where(table.c.id == feedback.id).values(asdict(feedback))
        await self._database.write(lambda connection: connection.execute(statement))

    async def scores(self, calls: Calls, *, by_model: bool) -> Sequence[Score]:
        def work(connection: Connection) -> list[Score]:
            quarter = table.c.created_at // (QUARTER_S * NANOS_PER_SECOND) * QUARTER_S
            model = _model() if by_model else literal("")
            inner = select(quarter.label("quarter"), model.label("model"), table.c.value, table.c.weight).where(
                *_where(calls)
            )
            each = inner.subquery("each").c
            weights = cast(func.sum(each.weight), BigInteger)
            statement = select(each.quarter, each.model, each.value, func.count(), weights)
            rows = connection.execute(statement.group_by(each.quarter, each.model, each.value))
            return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]

        return await self._database.read(work)


def _model() -> ColumnElement[str]:
    """Of the call with that trace id; of several the last model in the alphabet."""
    found = select(func.max(usage_record.c.model)).where(
        usage_record.c.trace_id == table.c.trace_id,
        usage_record.c.organization_id == table.c.organization_id,
        usage_record.c.workspace_id == table.c.workspace_id,
    )
    return coalesce(found.scalar_subquery(), "")


def _where(calls: Calls) -> list[ColumnElement[bool]]:
    column = table.c
    found = [
        column.organization_id == calls.organization_id,
        column.created_at >= calls.since,
        column.created_at < calls.until,
    ]
    pairs = ((column.workspace_id, calls.workspaces), (column.tenant_id, calls.tenants), (column.key_id, calls.keys))
    return found + [each.in_(values) for each, values in pairs if values]
