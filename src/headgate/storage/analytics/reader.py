"""`analytics.stores.UsageReader` on SQL: each piece of a question's time is summed up by the database, and the few
sums that come back are put together here."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, case, func, literal, select
from sqlalchemy.sql.functions import aggregate_strings, coalesce

from headgate.analytics import latency
from headgate.analytics.calls import METADATA, Calls, Label, Sums, of_who
from headgate.analytics.points import Points
from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.base.errors import InvalidRequest
from headgate.storage.analytics import conditions
from headgate.storage.analytics.cells import QUARTER_S
from headgate.storage.analytics.labels import USER, wide_names
from headgate.storage.analytics.pieces import RECORDS, Piece, pieces_of
from headgate.storage.analytics_tables import usage_cell, usage_what, usage_who, usage_who_tag
from headgate.storage.database import Database
from headgate.storage.tables import organization, usage_record

MOST_RECORDS: Final = 250_000
"""That one question may look at one by one."""
_FIGURES: Final = ("calls", "input_tokens", "output_tokens", "cost", "took", "last_at")
_QUARTER: Final = QUARTER_S * NANOS_PER_SECOND
_SLOT: Final = case(
    *((usage_record.c.ended_after < bound, slot) for bound, slot in zip(latency.BOUNDS, latency.SLOTS, strict=False)),
    else_=latency.SLOTS[-1],
)


class SqlUsageReader:
    """On any of the databases."""

    def __init__(self, database: Database, clock: Clock, most_records: int = MOST_RECORDS) -> None:
        self._database = database
        self._clock = clock
        self._most_records = most_records

    async def over_time(
        self, calls: Calls, points: Points, *, by: str = "", latencies: bool = False
    ) -> Sequence[Mapping[str, Sums]]:
        def work(connection: Connection) -> Sequence[Mapping[str, Sums]]:
            found: list[dict[str, Sums]] = [{} for _ in points.starts]
            for piece in self._pieces(connection, calls, by, whole_days=points.whole_days):
                for at, label, sums in _read(connection, calls, piece, by, times=True, latencies=latencies):
                    _add(found[points.index(at)], label, sums)
            return found

        return await self._database.read(work)

    async def grouped(self, calls: Calls, by: str) -> Mapping[str, Sums]:
        def work(connection: Connection) -> Mapping[str, Sums]:
            found: dict[str, Sums] = {}
            for piece in self._pieces(connection, calls, by, whole_days=True):
                for _, label, sums in _read(connection, calls, piece, by, times=False, latencies=False):
                    _add(found, label, sums)
            return found

        return await self._database.read(work)

    def _pieces(self, connection: Connection, calls: Calls, by: str, *, whole_days: bool) -> list[Piece]:
        asked = {name for name, _ in calls.metadata}
        asked |= {by.removeprefix(METADATA)} if by.startswith(METADATA) else set()
        asked |= {USER} if calls.users or by == Label.USER else set()
        if calls.about_each or asked & wide_names(connection, calls.organization_id):
            self._check(connection, calls)
            return [Piece(RECORDS, calls.since, calls.until)]
        statement = select(organization.c.time_zone).where(organization.c.id == calls.organization_id)
        time_zone = connection.execute(statement).scalar_one()
        return pieces_of(calls, by, whole_days=whole_days, time_zone=time_zone, now=self._clock.now())

    def _check(self, connection: Connection, calls: Calls) -> None:
        if calls.request_ids or calls.trace_ids:
            return
        some = select(literal(1)).where(*conditions.owners_of_records(calls, calls.since, calls.until))
        some = some.limit(self._most_records + 1)
        if connection.execute(select(func.count()).select_from(some.subquery())).scalar_one() > self._most_records:
            raise InvalidRequest(
                f"This question looks at each call, and there are more than {self._most_records:,} of them in this "
                "time. Ask for a shorter time, or for one workspace, tenant or key.",
                param="time_of_generation_min",
            )


def workspaces_of(connection: Connection, calls: Calls) -> Sequence[str]:
    """Those asked for, or all of the organization that ever had a call, the ones that are gone too."""
    if calls.workspaces:
        return calls.workspaces
    statement = select(usage_what.c.workspace_id).distinct()
    return connection.execute(statement.where(usage_what.c.organization_id == calls.organization_id)).scalars().all()


def _add(found: dict[str, Sums], label: str, sums: Sums) -> None:
    if (before := found.get(label)) is None:
        found[label] = sums
    else:
        before.add(sums)


def _read(
    connection: Connection, calls: Calls, piece: Piece, by: str, *, times: bool, latencies: bool
) -> list[tuple[int, str, Sums]]:
    """Moment, label, sums."""
    if piece.kind == RECORDS:
        statement = _of_records(calls, piece, by, times, latencies)
    else:
        statement = _of_cells(calls, piece, by, times, latencies, workspaces_of(connection, calls))
    return [
        (
            row[0] * NANOS_PER_SECOND,
            "" if row[1] is None else str(row[1]),
            _sums(row),
        )
        for row in connection.execute(statement)
        if row[2]
    ]


def _sums(row: Row[Any]) -> Sums:
    calls, inputs, outputs, cost, took, last_at = map(int, row[2:8])
    return Sums(calls, inputs, outputs, cost, took, last_at, row[8] if len(row) > 8 else "")


def _of_records(calls: Calls, piece: Piece, by: str, times: bool, latencies: bool) -> Select[Any]:
    record = usage_record.c
    bucket: ColumnElement[Any] = record.started_at // _QUARTER * QUARTER_S if times else literal(0)
    label = conditions.label_of_record(by) if by else literal("")
    columns: list[ColumnElement[Any]] = [
        bucket.label("bucket"),
        label.label("label"),
        func.count(),
        func.sum(record.input_tokens),
        func.sum(record.output_tokens),
        func.sum(record.cost),
        func.sum(record.ended_after),
        func.max(record.started_at),
    ]
    if latencies:
        columns.append(aggregate_strings(_SLOT, ""))
    statement = select(*columns).where(*conditions.of_records(calls, piece.since, piece.until))
    return statement.group_by(*_groups(bucket if times else None, label if by else None))


def _of_cells(
    calls: Calls, piece: Piece, by: str, times: bool, latencies: bool, workspaces: Sequence[str]
) -> Select[Any]:
    cell = usage_cell.c
    wanted = conditions.of_cells(
        calls, piece.kind, workspaces, piece.since // NANOS_PER_SECOND, piece.until // NANOS_PER_SECOND
    )
    own = {"": None, Label.WORKSPACE: cell.workspace_id}.get(by, cell.who_id if of_who(by) else cell.what_id)
    columns: list[ColumnElement[Any]] = [
        (cell.bucket if times else literal(0)).label("bucket"),
        (literal("") if own is None else own).label("label"),
        *(func.sum(cell[name]).label(name) for name in _FIGURES[:-1]),
        func.max(cell.last_at).label("last_at"),
    ]
    if latencies:
        columns.append(aggregate_strings(cell.latencies, "").label("latencies"))
    inner = select(*columns).where(*wanted).group_by(*_groups(cell.bucket if times else None, own))
    return inner if by in ("", Label.WORKSPACE) else _labelled(inner, by, latencies)


def _labelled(inner: Select[Any], by: str, latencies: bool) -> Select[Any]:
    """From numbers to what they stand for. Few are left by now, so this is where the names are looked up."""
    sums = inner.subquery("sums")
    if by.startswith(METADATA):
        tag = usage_who_tag.c
        name = by[len(METADATA) :]
        source = sums.outerjoin(usage_who_tag, (tag.who_id == sums.c.label) & (tag.name == name))
        label: ColumnElement[Any] = coalesce(tag.value, "")
    elif of_who(by):
        source, label = sums.join(usage_who, usage_who.c.id == sums.c.label), conditions.WHO_COLUMNS[by]
    else:
        source, label = sums.join(usage_what, usage_what.c.id == sums.c.label), conditions.WHAT_COLUMNS[by]
    columns: list[ColumnElement[Any]] = [
        sums.c.bucket,
        label,
        *(func.sum(sums.c[name]) for name in _FIGURES[:-1]),
        func.max(sums.c.last_at),
    ]
    if latencies:
        columns.append(aggregate_strings(sums.c.latencies, ""))
    return select(*columns).select_from(source).group_by(sums.c.bucket, label)


def _groups(*columns: ColumnElement[Any] | None) -> list[ColumnElement[Any]]:
    return [column for column in columns if column is not None]
