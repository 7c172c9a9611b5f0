"""What is used of each budget in each period: kept beside the usage records, in the transaction that writes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Table, func, select, text, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from headgate.base.usage import INPUT_METERS, OUTPUT_METERS
from headgate.ledger.allowance import Resource
from headgate.ledger.record import UsageRecord
from headgate.storage.alert_tables import allowance_use as table
from headgate.storage.budgets import Budget, Budgets, Span, owners_of
from headgate.storage.tables import usage_record

_LOCK: Final = 0x75736167  # any number, the same in every process that writes usage records
_AT_ONCE: Final = 1_000
_SUMMED: Final = {
    Resource.COST: func.sum(usage_record.c.cost),
    Resource.TOKENS: func.sum(usage_record.c.input_tokens + usage_record.c.output_tokens),
    Resource.REQUESTS: func.count(),
}


@dataclass(slots=True)
class Moved:
    """One budget's use in one period, before and after some calls were settled."""

    budget: Budget
    span: Span
    before: int
    after: int


def new_among(connection: Connection, records: Sequence[UsageRecord]) -> list[UsageRecord]:
    """Those that are not in the database yet, each once. Nobody else writes records until this transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    found = {record.request_id: record for record in records}
    ids = list(found)
    for start in range(0, len(ids), _AT_ONCE):
        statement = select(usage_record.c.request_id).where(
            usage_record.c.request_id.in_(ids[start : start + _AT_ONCE])
        )
        for request_id in connection.execute(statement).scalars():
            del found[request_id]
    return list(found.values())


def fold(connection: Connection, budgets: Budgets, records: Sequence[UsageRecord]) -> list[Moved]:
    """Count records that were just written, and not counted before. A period that is new here starts at what all
    records of it say: the sums never depend on when somebody began to keep them."""
    moved = _moved(connection, budgets, records)
    if not moved:
        return []
    known = _settled(connection, list(moved))
    for key, each in moved.items():
        if key in known:
            each.before = known[key]
            each.after += each.before
        else:
            taken, each.after = each.after, _sum(connection, each.budget, each.span)
            each.before = each.after - taken
    rows = [(*key, each.span[1], each.after) for key, each in moved.items()]
    connection.exec_driver_sql(_upsert(connection.dialect), rows)
    return list(moved.values())


def _moved(connection: Connection, budgets: Budgets, records: Sequence[UsageRecord]) -> dict[tuple[str, int], Moved]:
    """What the records take of each budget, in `after`; by allowance and start of the period."""
    owners = [owners_of(record) for record in records]
    of = budgets.of(connection, {owner for each in owners for owner in each})
    moved: dict[tuple[str, int], Moved] = {}
    for record, its_owners in zip(records, owners, strict=True):
        for owner in its_owners:
            for budget in of[owner]:
                if record.started_at < budget.since:
                    continue
                span = budget.span_of(record.started_at)
                key = (budget.allowance.id, span[0])
                if (found := moved.get(key)) is None:
                    found = moved[key] = Moved(budget, span, 0, 0)
                found.after += _amount(budget, record)
    return moved


def _amount(budget: Budget, record: UsageRecord) -> int:
    match budget.allowance.resource:
        case Resource.COST:
            return record.cost
        case Resource.REQUESTS:
            return 1
        case _:
            usage = record.usage
            return sum(usage[meter] for meter in (*INPUT_METERS, *OUTPUT_METERS) if meter in usage)


def _settled(connection: Connection, keys: Sequence[tuple[str, int]]) -> Mapping[tuple[str, int], int]:
    found: dict[tuple[str, int], int] = {}
    columns = (table.c.allowance_id, table.c.window_start)
    for start in range(0, len(keys), _AT_ONCE):
        statement = select(*columns, table.c.settled).where(tuple_(*columns).in_(keys[start : start + _AT_ONCE]))
        found |= {(row[0], row[1]): row[2] for row in connection.execute(statement)}
    return found


def _sum(connection: Connection, budget: Budget, span: Span) -> int:
    started = usage_record.c.started_at
    conditions: list[Any] = [budget.counted, started >= max(span[0], budget.since)]
    if span[1] is not None:
        conditions.append(started < span[1])
    statement = select(_SUMMED[budget.allowance.resource]).where(*conditions)
    return int(connection.execute(statement).scalar_one() or 0)


@cache
def _upsert(dialect: Dialect) -> str:
    """In the driver's own words: SQLAlchemy's handling of parameters would cost more than the statement."""
    return str(
        _statement(dialect, table).compile(dialect=dialect, column_keys=[column.name for column in table.columns])
    )


def _statement(dialect: Dialect, into: Table) -> Any:
    statement = (sqlite if dialect.name == "sqlite" else postgresql).insert(into)
    return statement.on_conflict_do_update(
        index_elements=["allowance_id", "window_start"], set_={"settled": statement.excluded.settled}
    )
