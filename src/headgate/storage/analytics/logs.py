"""`analytics.stores.LogReader` on SQL: records themselves, in the order of their start."""

from collections.abc import Sequence
from heapq import merge
from itertools import groupby
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from headgate.analytics.calls import Calls
from headgate.analytics.stores import Place
from headgate.base.clock import NANOS_PER_SECOND
from headgate.ledger.record import UsageRecord
from headgate.storage import usage_rows
from headgate.storage.analytics import conditions
from headgate.storage.analytics.cells import QUARTER_S
from headgate.storage.analytics.labels import USER, wide_names
from headgate.storage.analytics.reader import check_countable, workspaces_of
from headgate.storage.analytics_tables import BY_WHAT, FULL, usage_cell
from headgate.storage.database import Database
from headgate.storage.tables import usage_record as table

_QUARTER: Final = QUARTER_S * NANOS_PER_SECOND


class SqlLogReader:
    """On any of the databases."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def latest(self, calls: Calls, before: Place | None, limit: int) -> Sequence[UsageRecord]:
        def work(connection: Connection) -> list[UsageRecord]:
            until = calls.until if before is None else min(calls.until, before[0] + 1)
            if calls.about_each:
                check_countable(connection, calls)
            elif (calls.about_who or calls.about_what) and not _about_wide(connection, calls):
                return _from_quarters(connection, calls, until, before, limit)
            return _page(connection, calls, calls.since, until, before, limit)

        return await self._database.read(work)

    async def after(self, calls: Calls, place: Place | None, limit: int) -> Sequence[UsageRecord]:
        def work(connection: Connection) -> list[UsageRecord]:
            since = calls.since if place is None else max(calls.since, place[0])
            where = conditions.of_records(calls, since, calls.until)
            if place is not None:
                at, name = place
                where.append(or_(table.c.started_at > at, and_(table.c.started_at == at, table.c.request_id > name)))
            statement = select(table).where(*where).order_by(table.c.started_at, table.c.request_id).limit(limit)
            return [usage_rows.record_of(row) for row in connection.execute(statement).mappings()]

        return await self._database.read(work)


def _about_wide(connection: Connection, calls: Calls) -> bool:
    names = calls.metadata_names | ({USER} if calls.users else set())
    return bool(names & wide_names(connection, calls.organization_id))


def _from_quarters(
    connection: Connection, calls: Calls, until: int, before: Place | None, limit: int
) -> list[UsageRecord]:
    """Cells know in which quarters of an hour there are such calls: only those are looked through."""
    found: list[UsageRecord] = []
    for quarter in _quarters(connection, calls, until, limit):
        first = quarter * NANOS_PER_SECOND
        since, end = max(first, calls.since), min(first + _QUARTER, until)
        found += _page(connection, calls, since, end, before, limit - len(found))
        if len(found) == limit:
            break
    return found


def _quarters(connection: Connection, calls: Calls, until: int, limit: int) -> list[int]:
    """The latest first; the one that the page begins in may have none left, so one more than there are calls."""
    kind = FULL if calls.about_who else BY_WHAT
    first = calls.since // _QUARTER * QUARTER_S
    last = until // NANOS_PER_SECOND + 1
    bucket = usage_cell.c.bucket
    each = []
    for workspace_id in workspaces_of(connection, calls):
        where = conditions.of_cells(calls, kind, workspace_id, first, last)
        statement = select(bucket).where(*where).group_by(bucket).order_by(bucket.desc()).limit(limit + 1)
        each.append(connection.execute(statement).scalars().all())
    return [quarter for quarter, _ in groupby(merge(*each, reverse=True))][: limit + 1]


def _page(
    connection: Connection, calls: Calls, since: int, until: int, before: Place | None, limit: int
) -> list[UsageRecord]:
    where: list[ColumnElement[bool]] = conditions.of_records(calls, since, until)
    if before is not None:
        at, name = before
        where.append(or_(table.c.started_at < at, and_(table.c.started_at == at, table.c.request_id < name)))
    statement = select(table).where(*where).order_by(table.c.started_at.desc(), table.c.request_id.desc())
    return [usage_rows.record_of(row) for row in connection.execute(statement.limit(limit)).mappings()]
