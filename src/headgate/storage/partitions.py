"""Usage records on PostgreSQL lie in partitions, one for each month (UTC) of their `started_at`.

Months are made ahead. What belongs to no month yet, because no process was there to make it or a clock is wrong, lies
in the default partition until its month is made. A month is dropped as a whole.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, text

from headgate.base.clock import NANOS_PER_SECOND
from headgate.ledger.allowance import Window, WindowKind
from headgate.ledger.period import period_of

AHEAD: Final = 2
"""Months after the present one."""
PATIENCE: Final = "SET LOCAL lock_timeout = '2s'"
"""Writers and readers of records wait no longer for one that changes the partitions; it tries again later."""
_MOST_AT_ONCE: Final = 24
_MONTH: Final = Window(WindowKind.CALENDAR, unit="month", time_zone="UTC")
_NAME: Final = re.compile(r"usage_record_(\d{4})_(\d{2})")
_LOCK: Final = 0x6D6F6E74  # any number, the same in every process that changes the partitions
_ALL: Final = text(
    "SELECT child.relname FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid "
    "WHERE inhparent = 'usage_record'::regclass ORDER BY child.relname"
)


@dataclass(frozen=True, slots=True)
class Month:
    """From its first nanosecond up to, and without, its end."""

    name: str
    """Of its table."""
    start: int
    end: int


def month_of(moment: int) -> Month:
    """The month that a moment of the wall clock lies in."""
    period = period_of(_MONTH, moment)
    first = datetime.fromtimestamp(period.start // NANOS_PER_SECOND, UTC)
    return Month(f"usage_record_{first:%Y_%m}", period.start, period.end)


def months(connection: Connection) -> list[Month]:
    """Those there are, the oldest first."""
    found = [_NAME.fullmatch(name) for name in connection.execute(_ALL).scalars()]
    firsts = [datetime(int(each[1]), int(each[2]), 1, tzinfo=UTC) for each in found if each]
    return [month_of(int(first.timestamp()) * NANOS_PER_SECOND) for first in firsts]


def make_months(connection: Connection, now: int) -> int:
    """This month, the next ones, and those of records that have none yet; how many were missing. Processes that do it
    at once wait for one another."""
    connection.execute(text(PATIENCE))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    there = {each.name for each in months(connection)}
    wanted = [month_of(now)]
    for _ in range(AHEAD):
        wanted.append(month_of(wanted[-1].end))
    missing = [each for each in wanted if each.name not in there]
    for each in missing:
        _make(connection, each)
    made = len(missing)
    first = text("SELECT min(started_at) FROM usage_record_default")
    while made < _MOST_AT_ONCE and (oldest := connection.execute(first).scalar()) is not None:
        _make(connection, month_of(oldest))
        made += 1
    return made


def take_month(connection: Connection, month: Month) -> bool:
    """To drop it: nobody reads or writes records until this transaction ends. False: another process dropped it."""
    connection.execute(text(PATIENCE))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    # The whole at once: one that has written records, and counts them next, is waited for and does not wait for us.
    connection.execute(text("LOCK TABLE ONLY usage_record IN ACCESS EXCLUSIVE MODE"))
    return month in months(connection)


def drop_month(connection: Connection, month: Month) -> None:
    """With all its records, once it is taken."""
    connection.execute(text(f"ALTER TABLE usage_record DETACH PARTITION {month.name}"))
    connection.execute(text(f"DROP TABLE {month.name}"))


def _make(connection: Connection, month: Month) -> None:
    """Whose records move out of the default partition: no others are written there meanwhile."""
    bounds = {"start": month.start, "end": month.end}
    connection.execute(text("LOCK TABLE usage_record_default IN SHARE ROW EXCLUSIVE MODE"))
    connection.execute(text(f"CREATE TABLE {month.name} (LIKE usage_record_default INCLUDING ALL)"))
    moved = "DELETE FROM usage_record_default WHERE started_at >= :start AND started_at < :end RETURNING *"
    connection.execute(text(f"WITH moved AS ({moved}) INSERT INTO {month.name} SELECT * FROM moved"), bounds)
    limits = f"FROM ({month.start}) TO ({month.end})"
    connection.execute(text(f"ALTER TABLE usage_record ATTACH PARTITION {month.name} FOR VALUES {limits}"))
