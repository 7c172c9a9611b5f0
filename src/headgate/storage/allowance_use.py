"""What is used of each budget in each period: kept beside the usage records, in the transaction that writes them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Table, select, text
from sqlalchemy.dialects import postgresql, sqlite

from headgate.ledger.allowance import Allowance, Resource
from headgate.ledger.record import UsageRecord
from headgate.storage.alert_tables import allowance_use as table
from headgate.storage.budgets import Budget, Budgets, Span
from headgate.storage.kept_sums import Key, kept_sums
from headgate.storage.policy_records import kept_from_its_start
from headgate.storage.record_counts import amount
from headgate.storage.record_sums import taken
from headgate.storage.tables import usage_record

KEEP_S: Final = 8 * 86_400
"""How long the use of a period is kept after its end, for calls that are settled late."""
_LOCK: Final = 0x75736167  # any number, the same in every process that writes usage records


@dataclass(slots=True)
class Moved:
    """One budget's use in one period, before and after some calls were settled."""

    budget: Budget
    span: Span
    before: int
    after: int
    used_up: bool = False
    """What is left of it counts as used."""

    @property
    def key(self) -> Key:
        return self.budget.allowance.id, self.span[0]

    @property
    def more(self) -> int:
        return self.after - self.before

    @property
    def counted(self) -> int:
        return max(self.budget.allowance.cap, self.after) if self.used_up else self.after


def lock(connection: Connection) -> None:
    """Nobody else counts records until this transaction ends: sums follow one another, and each alert is told once.
    Records are written before: that takes the most time, and may go on beside."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def fold(connection: Connection, budgets: Budgets, records: Sequence[UsageRecord]) -> list[Moved]:
    """Count records that were just written, and not counted before. A period that is new here starts at what all
    records of it say: the sums never depend on when somebody began to keep them."""
    moved = _moved(connection, budgets, records)
    if not moved:
        return []
    known = kept_sums(connection, list(moved))
    for key, each in moved.items():
        if key in known:
            each.before = known[key]
            each.after += each.before
        elif not kept_from_its_start(each.budget.allowance.scope, each.span[0]):
            taken, each.after = each.after, _sum(connection, each.budget, each.span)
            each.before = each.after - taken
    rows = [(*key, each.span[1], each.after) for key, each in moved.items()]
    connection.exec_driver_sql(_upsert(connection.dialect), rows)
    return list(moved.values())


def counting(connection: Connection, budgets: Budgets, record: UsageRecord) -> list[Key]:
    """The budgets, each with its period, that this record counts in."""
    return list(_moved(connection, budgets, [record]))


def correct(connection: Connection, budgets: Budgets, before: UsageRecord, after: UsageRecord) -> list[Moved]:
    """One record, which was counted as it was `before`, was changed to `after`. Of a period without a sum there is none
    to change: whoever needs it adds the records up."""
    was, moved = _moved(connection, budgets, [before]), _moved(connection, budgets, [after])
    known = kept_sums(connection, list(moved))
    for key, each in moved.items():
        each.before = known.get(key, 0)
        each.after += each.before - was[key].after
    rows = [(*key, each.span[1], each.after) for key, each in moved.items() if key in known]
    if rows:
        connection.exec_driver_sql(_upsert(connection.dialect), rows)
    return list(moved.values())


def standing(
    connection: Connection, budgets: Budgets, allowances: Iterable[Allowance], now: int, *, unused: bool = False
) -> list[Moved]:
    """Where these budgets stand in their present periods; those that were never used in it only if `unused`. Nobody
    else counts records until this transaction ends."""
    lock(connection)
    found = [Moved(budget, budget.span_of(now), 0, 0) for budget in budgets.find(connection, allowances)]
    known = kept_sums(connection, [each.key for each in found])
    for each in found:
        each.before = each.after = known.get(each.key, 0)
    return [each for each in found if each.after or unused]


def _moved(connection: Connection, budgets: Budgets, records: Sequence[UsageRecord]) -> dict[Key, Moved]:
    """What the records take of each budget, in `after`."""
    moved: dict[Key, Moved] = {}
    for its_budgets, its_records in budgets.of(connection, records):
        starts = [record.started_at for record in its_records]
        first, last = min(starts), max(starts)
        summed: dict[tuple[Resource, bool], int] = {}
        for budget in its_budgets:
            counted = budget.allowance.resource, budget.allowance.scope.counts_attempts
            if first >= budget.since and budget.span_of(first) == budget.span_of(last):
                if counted not in summed:
                    summed[counted] = sum([amount(record, budget.allowance) for record in its_records])
                _move(moved, budget, first, summed[counted])
                continue
            for record in its_records:
                if record.started_at >= budget.since:
                    _move(moved, budget, record.started_at, amount(record, budget.allowance))
    return moved


def _move(moved: dict[Key, Moved], budget: Budget, at: int, more: int) -> None:
    span = budget.span_of(at)
    key = (budget.allowance.id, span[0])
    if (found := moved.get(key)) is None:
        found = moved[key] = Moved(budget, span, 0, 0)
    found.after += more


def _sum(connection: Connection, budget: Budget, span: Span) -> int:
    started = usage_record.c.started_at
    conditions: list[Any] = [budget.counted, started >= max(span[0], budget.since)]
    if span[1] is not None:
        conditions.append(started < span[1])
    statement = select(taken(budget.allowance)).where(*conditions)
    return int(connection.execute(statement).scalar_one() or 0)


@cache
def _upsert(dialect: Dialect) -> str:
    """In the driver's own words: SQLAlchemy's handling of parameters would cost more than the statement."""
    written = ["allowance_id", "window_start", "window_end", "settled"]
    return str(_statement(dialect, table).compile(dialect=dialect, column_keys=written))


def _statement(dialect: Dialect, into: Table) -> Any:
    statement = (sqlite if dialect.name == "sqlite" else postgresql).insert(into)
    return statement.on_conflict_do_update(
        index_elements=["allowance_id", "window_start"], set_={"settled": statement.excluded.settled}
    )
