"""Cells of sums over usage records, written in the transaction that writes the records: exact at every moment.

Each call counts in four cells: by who and what in its quarter of an hour, by what alone in that quarter, by who alone
in that day, and by what alone in that day. So a question that is only about one of the two finds few cells, and no
question finds more of them than there are calls. A quarter of an hour, because every time zone's hours and days begin
with one.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, Dialect, bindparam, case, select
from sqlalchemy.dialects import postgresql, sqlite

from headgate.analytics import latency
from headgate.base.clock import NANOS_PER_SECOND
from headgate.ledger.allowance import Window, WindowKind
from headgate.ledger.period import Period, period_of
from headgate.storage.analytics.conditions import LEAST_ERROR
from headgate.storage.analytics.labels import LabelNumbers, Labels
from headgate.storage.analytics_tables import BY_DAY, BY_WHAT, FULL, WHAT_BY_DAY
from headgate.storage.analytics_tables import usage_cell as table
from headgate.storage.tables import organization, usage_record

QUARTER_S: Final = 900
_QUARTER: Final = QUARTER_S * NANOS_PER_SECOND

_POSITIONS: Final = {column.name: index for index, column in enumerate(usage_record.columns)}
_labels: Final = itemgetter(*[_POSITIONS[name] for name in Labels._fields])
_STATUS: Final = Labels._fields.index("status")
_MEASURED: Final = (
    "started_at",
    "requests",
    "input_tokens",
    "output_tokens",
    "cost",
    "ended_after",
    "first_byte_after",
)
_figures: Final = itemgetter(*[_POSITIONS[name] for name in _MEASURED])
_KEY: Final = ("workspace_id", "kind", "bucket", "who_id", "what_id")
_ADDED: Final = (
    "calls",
    "requests",
    "input_tokens",
    "output_tokens",
    "cost",
    "took",
    "errors",
    "latencies",
    "first_bytes",
)
_FEW: Final = 16
_LONG: Final = 512
"""So many characters of histograms are written one behind the other before a cell's are made one."""
_MOST_COUNTED: Final = 100_000
Key = tuple[str, int, int, int, int]
Row = tuple[Any, ...]
"""Of `usage_record`, as `usage_rows.values_of` makes it."""


Figures = tuple[int, int, int, int, int, int, int | None]
"""Of one record; see `_figures`."""
Sums = tuple[int, int, int, int, int, int, int, int, str, str]
"""The rest of the table's columns, in their order."""


class Cells:
    """Belongs to one writer: one transaction at a time, and no other writes cells meanwhile."""

    def __init__(self, numbers: LabelNumbers | None = None) -> None:
        self._numbers = numbers or LabelNumbers()
        self._days: dict[str, tuple[Window, Period]] = {}
        self._untidy: dict[Key, int] = {}

    def add(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Count usage records that were just written, and not counted before."""
        if not rows:
            return
        groups: dict[tuple[Any, ...], list[Row]] = {}
        for row in rows:
            groups.setdefault(_labels(row), []).append(row)
        numbers = self._numbers.of(connection, groups)
        self._learn_time_zones(connection)
        cells: dict[Key, Sums] = {}
        for labels, its_rows in groups.items():
            quarters: dict[int, list[Figures]] = {}
            for figures in map(_figures, its_rows):
                quarters.setdefault(figures[0] // _QUARTER, []).append(figures)
            for its_figures in quarters.values():
                self._count(cells, labels, numbers[labels], its_figures)
        connection.exec_driver_sql(_upsert(connection.dialect), [(*key, *sums) for key, sums in cells.items()])
        self._tidy(connection, cells)

    def correct(self, connection: Connection, before: Row, after: Row) -> None:
        """A record that was counted says something else now of what it used and cost; it is the same in all else."""
        labels, was, now = _labels(after), _figures(before), _figures(after)
        numbers = self._numbers.of(connection, [labels])[labels]
        self._learn_time_zones(connection)
        sums = (0, 0, now[2] - was[2], now[3] - was[3], now[4] - was[4], 0, 0, now[0], "", "")
        keys = self._keys(labels, numbers, now[0])
        connection.exec_driver_sql(_upsert(connection.dialect), [(*key, *sums) for key in keys])

    def _count(
        self,
        cells: dict[Key, Sums],
        labels: tuple[Any, ...],
        numbers: tuple[int, int],
        figures: Sequence[Figures],
    ) -> None:
        """Records with the same labels, of the same quarter of an hour."""
        started, requests, inputs, outputs, costs, took, first = zip(*figures, strict=True)
        sums = (
            len(figures),
            sum(requests),
            sum(inputs),
            sum(outputs),
            sum(costs),
            sum(took),
            sum(requests) if labels[_STATUS] >= LEAST_ERROR else 0,
            max(started),
            _histogram(took),
            _histogram([each for each in first if each is not None]),
        )
        for key in self._keys(labels, numbers, started[0]):
            found = cells.get(key)
            cells[key] = sums if found is None else _together(found, sums)

    def _keys(self, labels: tuple[Any, ...], numbers: tuple[int, int], moment: int) -> tuple[Key, ...]:
        """The cells that a record of this moment counts in."""
        (who, what), workspace_id, day = numbers, labels[1], self._day(labels[0], moment)
        quarter = moment // _QUARTER * QUARTER_S
        return (
            (workspace_id, FULL, quarter, who, what),
            (workspace_id, BY_WHAT, quarter, 0, what),
            (workspace_id, BY_DAY, day, who, 0),
            (workspace_id, WHAT_BY_DAY, day, 0, what),
        )

    def _day(self, organization_id: str, moment: int) -> int:
        """The first second of its day, where its organization is. All of a quarter of an hour lies in one day."""
        window, period = self._days.get(organization_id) or (_day_in("UTC"), Period(0, 0))
        if not period.start <= moment < period.end:
            period = period_of(window, moment)
            self._days[organization_id] = window, period
        return period.start // NANOS_PER_SECOND

    def _learn_time_zones(self, connection: Connection) -> None:
        for organization_id, name in connection.exec_driver_sql(_TIME_ZONES):
            known = self._days.get(organization_id)
            if known is None or known[0].time_zone != name:
                self._days[organization_id] = _day_in(name), Period(0, 0)

    def _tidy(self, connection: Connection, written: Mapping[Key, Sums]) -> None:
        """A cell that is written to again and again keeps a short text all the same."""
        untidy = self._untidy
        if len(untidy) > _MOST_COUNTED:
            untidy.clear()
        long = []
        for key, sums in written.items():
            length = untidy[key] = untidy.get(key, 0) + len(sums[-2])
            if length >= _LONG:
                del untidy[key]
                long.append(key)
        if not long:
            return
        read, write = _tidying(connection.dialect)
        texts = [connection.exec_driver_sql(read, key).one() for key in long]
        rows = [(*map(latency.tidy, pair), *key) for pair, key in zip(texts, long, strict=True)]
        connection.exec_driver_sql(write, rows)


_TIME_ZONES: Final = str(select(organization.c.id, organization.c.time_zone))


def _day_in(time_zone: str) -> Window:
    return Window(WindowKind.CALENDAR, unit="day", time_zone=time_zone)


def _histogram(took: Sequence[int]) -> str:
    slots = map(latency.slot_of, took)
    return latency.written(Counter(slots)) if len(took) > _FEW else "".join(slots)


def _together(one: Sums, other: Sums) -> Sums:
    return (
        one[0] + other[0],
        one[1] + other[1],
        one[2] + other[2],
        one[3] + other[3],
        one[4] + other[4],
        one[5] + other[5],
        one[6] + other[6],
        max(one[7], other[7]),
        one[8] + other[8],
        one[9] + other[9],
    )


@cache
def _tidying(dialect: Dialect) -> tuple[str, str]:
    """Reads a cell's histograms, and writes others: the key's values, behind the texts."""
    where = [table.c[name] == bindparam(f"key_{name}") for name in _KEY]
    read = select(table.c.latencies, table.c.first_bytes).where(*where)
    write = table.update().where(*where).values(latencies="", first_bytes="")
    return str(read.compile(dialect=dialect)), str(write.compile(dialect=dialect))


@cache
def _upsert(dialect: Dialect) -> str:
    """In the driver's own words: SQLAlchemy's handling of parameters would cost more than the statement."""
    engine = sqlite if dialect.name == "sqlite" else postgresql
    statement = engine.insert(table)
    new = statement.excluded
    changed = {name: table.c[name] + new[name] for name in _ADDED}
    changed["last_at"] = case((new.last_at > table.c.last_at, new.last_at), else_=table.c.last_at)
    return str(
        statement.on_conflict_do_update(index_elements=list(_KEY), set_=changed).compile(
            dialect=dialect, column_keys=[column.name for column in table.columns]
        )
    )
