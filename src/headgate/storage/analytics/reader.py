"""`analytics.stores.UsageReader` on SQL: each piece of a question's time is summed up by the database, and the few
sums that come back are put together here."""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum, auto
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Text,
    case,
    cast,
    func,
    literal,
    select,
)
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
from headgate.tenancy.limits import Zone

MOST_RECORDS: Final = 250_000
"""That one question may look at one by one."""
_SUMMED: Final = ("calls", "requests", "input_tokens", "output_tokens", "cost", "took", "errors")
_OF_CELLS: Final = ("", Label.WORKSPACE)
"""Labels that need no look at who or what."""
_QUARTER: Final = QUARTER_S * NANOS_PER_SECOND


class Measure(Enum):
    """How much is asked of each sum: less is found sooner."""

    REQUESTS = auto()
    """Only how many."""
    FIGURES = auto()
    LATENCIES = auto()
    """The figures, and the histograms."""


def _slot(took: ColumnElement[Any]) -> ColumnElement[Any]:
    """The histogram's character for one latency; none where there is none."""
    steps = zip(latency.BOUNDS, latency.SLOTS, strict=False)
    return case((took.is_(None), ""), *((took < bound, slot) for bound, slot in steps), else_=latency.SLOTS[-1])


_SLOTS: Final = (_slot(usage_record.c.ended_after), _slot(usage_record.c.first_byte_after))


class SqlUsageReader:
    """On any of the databases."""

    def __init__(self, database: Database, clock: Clock, most_records: int = MOST_RECORDS) -> None:
        self._database = database
        self._clock = clock
        self._most_records = most_records

    async def over_time(self, calls: Calls, points: Points, *, latencies: bool = False) -> Sequence[Sums]:
        def work(connection: Connection) -> Sequence[Sums]:
            found = [Sums() for _ in points.starts]
            measure = Measure.LATENCIES if latencies else Measure.FIGURES
            for piece in self._pieces(connection, calls, "", whole_days=points.whole_days):
                for statement in _statements(connection, calls, piece, "", measure, times=True):
                    for bucket, _, *sums in connection.execute(statement).all():
                        found[points.index(bucket * NANOS_PER_SECOND)].add(Sums(*sums))
            for sums_of_point in found:
                sums_of_point.latencies = latency.tidy(sums_of_point.latencies)
                sums_of_point.first_bytes = latency.tidy(sums_of_point.first_bytes)
            return found

        return await self._database.read(work)

    async def counted(self, calls: Calls, points: Points, by: str) -> Sequence[Mapping[str, int]]:
        def work(connection: Connection) -> Sequence[Mapping[str, int]]:
            found: list[dict[str, int]] = [{} for _ in points.starts]
            for piece in self._pieces(connection, calls, by, whole_days=points.whole_days):
                for statement in _statements(connection, calls, piece, by, Measure.REQUESTS, times=True):
                    at: dict[int, dict[str, int]] = {}
                    for bucket, label, count in connection.execute(statement).all():
                        if (point := at.get(bucket)) is None:
                            point = at[bucket] = found[points.index(bucket * NANOS_PER_SECOND)]
                        point[label] = point.get(label, 0) + count
            return found

        return await self._database.read(work)

    async def series(
        self, calls: Calls, points: Points, by: str, *, latencies: bool = False
    ) -> Sequence[Mapping[str, Sums]]:
        def work(connection: Connection) -> Sequence[Mapping[str, Sums]]:
            found: list[dict[str, Sums]] = [{} for _ in points.starts]
            measure = Measure.LATENCIES if latencies else Measure.FIGURES
            for piece in self._pieces(connection, calls, by, whole_days=points.whole_days):
                for statement in _statements(connection, calls, piece, by, measure, times=True):
                    for bucket, label, *sums in connection.execute(statement).all():
                        _add(found[points.index(bucket * NANOS_PER_SECOND)], label, Sums(*sums))
            return found

        return await self._database.read(work)

    async def grouped(self, calls: Calls, by: str, *, latencies: bool = False) -> Mapping[str, Sums]:
        def work(connection: Connection) -> Mapping[str, Sums]:
            found: dict[str, Sums] = {}
            measure = Measure.LATENCIES if latencies else Measure.FIGURES
            for piece in self._pieces(connection, calls, by, whole_days=True):
                for statement in _statements(connection, calls, piece, by, measure, times=False):
                    for _, label, *sums in connection.execute(statement).all():
                        _add(found, label, Sums(*sums))
            return found

        return await self._database.read(work)

    def _pieces(self, connection: Connection, calls: Calls, by: str, *, whole_days: bool) -> list[Piece]:
        asked = calls.metadata_names
        asked |= {by.removeprefix(METADATA)} if by.startswith(METADATA) else set()
        asked |= {USER} if calls.users or by == Label.USER else set()
        if calls.about_each or asked & wide_names(connection, calls.organization_id):
            check_countable(connection, calls, self._most_records)
            return [Piece(RECORDS, calls.since, calls.until)]
        columns = (organization.c.time_zone, organization.c.time_zone_set_at)
        zone = connection.execute(select(*columns).where(organization.c.id == calls.organization_id)).one()
        return pieces_of(calls, by, whole_days=whole_days, zone=Zone(*zone), now=self._clock.now())


def check_countable(connection: Connection, calls: Calls, most: int = MOST_RECORDS) -> None:
    """Raises `InvalidRequest` where too many calls would have to be looked at. An id finds its call by itself."""
    if calls.request_ids or calls.trace_ids or calls.span_ids:
        return
    some = select(literal(1)).where(*conditions.owners_of_records(calls, calls.since, calls.until)).limit(most + 1)
    if connection.execute(select(func.count()).select_from(some.subquery())).scalar_one() > most:
        raise InvalidRequest(
            f"This question looks at each call, and there are more than {most:,} of them in this time. Ask for a "
            "shorter time, or for one workspace, tenant or key.",
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


def _statements(
    connection: Connection, calls: Calls, piece: Piece, by: str, measure: Measure, *, times: bool
) -> Iterator[Select[Any]]:
    """Rows of bucket, label, and the fields of `Sums` that are measured; one statement for each workspace."""
    if piece.kind == RECORDS:
        yield _of_records(calls, piece, by, measure, times)
        return
    since, until = piece.since // NANOS_PER_SECOND, piece.until // NANOS_PER_SECOND
    for workspace_id in workspaces_of(connection, calls):
        wanted = conditions.of_cells(calls, piece.kind, workspace_id, since, until)
        yield _over_time(wanted, by, measure) if times else _grouped(wanted, by, measure)


def _of_records(calls: Calls, piece: Piece, by: str, measure: Measure, times: bool) -> Select[Any]:
    record = usage_record.c
    bucket: ColumnElement[Any] = record.started_at // _QUARTER * QUARTER_S if times else literal(0)
    label = coalesce(cast(conditions.label_of_record(by), Text), "") if by else literal("")
    columns: list[ColumnElement[Any]] = [bucket, label]
    if measure is Measure.REQUESTS:
        columns.append(_sum(record.requests))
    else:
        columns.append(func.count())
        summed = (record.requests, record.input_tokens, record.output_tokens, record.cost, record.ended_after)
        failed = case((record.status >= conditions.LEAST_ERROR, record.requests), else_=0)
        columns += [*map(_sum, summed), _sum(failed), func.max(record.started_at)]
    if measure is Measure.LATENCIES:
        columns += [aggregate_strings(slot, "") for slot in _SLOTS]
    statement = select(*columns).where(*conditions.of_records(calls, piece.since, piece.until))
    return statement.group_by(*_groups(bucket if times else None, label if by else None)).having(func.count() > 0)


def _over_time(wanted: Sequence[ColumnElement[bool]], by: str, measure: Measure) -> Select[Any]:
    cell = usage_cell.c
    source, label = _labelled(usage_cell, cell.who_id if of_who(by) else cell.what_id, by)
    groups = [cell.bucket] if by in _OF_CELLS else [cell.bucket, label]
    columns = [cell.bucket, label, *_measured(usage_cell, measure)]
    return select(*columns).select_from(source).where(*wanted).group_by(*groups)


def _grouped(wanted: Sequence[ColumnElement[bool]], by: str, measure: Measure) -> Select[Any]:
    """First by number, which leaves few, and then by what the numbers stand for."""
    cell = usage_cell.c
    number = literal(0) if by in _OF_CELLS else cell.who_id if of_who(by) else cell.what_id
    measured = _measured(usage_cell, measure)
    inner = select(cell.workspace_id, number.label("number"), *measured).where(*wanted)
    inner = inner.group_by(cell.workspace_id, *([] if by in _OF_CELLS else [number]))
    sums = inner.subquery("sums")
    source, label = _labelled(sums, sums.c.number, by)
    columns = [literal(0), label, *_measured(sums, measure)]
    return select(*columns).select_from(source).group_by(label)


def _labelled(cells: FromClause, number: ColumnElement[Any], by: str) -> tuple[FromClause, ColumnElement[Any]]:
    """Joined with what the label is in, and the label's column."""
    if by in _OF_CELLS:
        return cells, cast(cells.c.workspace_id if by else literal(""), Text)
    if by.startswith(METADATA):
        tag = usage_who_tag.c
        name = by[len(METADATA) :]
        tagged = cells.outerjoin(usage_who_tag, (tag.who_id == number) & (tag.name == name))
        return tagged, coalesce(tag.value, "")
    if of_who(by):
        return cells.join(usage_who, usage_who.c.id == number), conditions.WHO_COLUMNS[by]
    return cells.join(usage_what, usage_what.c.id == number), cast(conditions.WHAT_COLUMNS[by], Text)


def _measured(source: FromClause, measure: Measure) -> list[ColumnElement[Any]]:
    """Sums over rows that are sums themselves."""
    column = source.c
    if measure is Measure.REQUESTS:
        return [_sum(column.requests)]
    found: list[ColumnElement[Any]] = [_sum(column[name]).label(name) for name in _SUMMED]
    found.append(func.max(column.last_at).label("last_at"))
    if measure is Measure.LATENCIES:
        found += [aggregate_strings(column[name], "").label(name) for name in ("latencies", "first_bytes")]
    return found


def _sum(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """As an integer: PostgreSQL makes a decimal of it."""
    return cast(func.sum(column), BigInteger)


def _groups(*columns: ColumnElement[Any] | None) -> list[ColumnElement[Any]]:
    return [column for column in columns if column is not None]
