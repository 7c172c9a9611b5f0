"""Usage records say what was held and when; sums have first bytes, errors, and what was called by days."""

from collections import Counter
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "v0022"
down_revision = "v0021"
branch_labels = None
depends_on = None

DOCUMENT = sa.JSON(none_as_null=True).with_variant(
    postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
)
_SMALL = {"sqlite_with_rowid": False}
"""As the table was made: SQLite makes it anew to change it."""
_FIRST_BYTES = "The same, up to the first byte of those that came to one."
_ERRORS = "Of `requests`, those with a status of 400 or more."
_SUMMED = ("calls", "requests", "input_tokens", "output_tokens", "cost", "took", "errors")
_TEXTS = ("latencies", "first_bytes")
_CELL = ("workspace_id", "kind", "bucket", "who_id", "what_id", *_SUMMED, "last_at", *_TEXTS)
_OF_DAY = ("workspace_id", "bucket", "who_id")
_FULL, _BY_WHAT, _BY_DAY, _WHAT_BY_DAY = range(4)
_table = sa.table("usage_cell", *map(sa.column, _CELL))
_what = sa.table("usage_what", *map(sa.column, ("id", "organization_id", "status")))


def upgrade() -> None:
    with op.batch_alter_table("usage_record") as rows:
        rows.add_column(sa.Column("held_after", sa.BigInteger(), nullable=True))
        rows.add_column(sa.Column("held", DOCUMENT, nullable=False, server_default="[]"))
    with op.batch_alter_table("usage_cell", table_kwargs=_SMALL) as cells:
        cells.add_column(
            sa.Column("first_bytes", sa.Text(), nullable=False, server_default=sa.text("''"), comment=_FIRST_BYTES)
        )
        cells.add_column(sa.Column("errors", sa.BigInteger(), nullable=False, server_default="0", comment=_ERRORS))
    op.create_index(op.f("ix_feedback_trace_id"), "feedback", ["trace_id"], unique=False)
    count_errors(op.get_bind())
    sum_up_days(op.get_bind())


def count_errors(connection: sa.Connection) -> None:
    """What was called tells by its status; by who in a day they add up from that."""
    cell, bad = _table.c, sa.select(_what.c.id).where(_what.c.status >= 400)
    connection.execute(sa.update(_table).where(cell.what_id.in_(bad)).values(errors=cell.requests))
    zone_of = _zones(connection)
    days: Counter[tuple[str, int, int]] = Counter()
    for row in connection.execute(sa.select(*cell).where(cell.kind == _FULL, cell.errors > 0)):
        days[row.workspace_id, _day_of(row.bucket, zone_of.get(row.what_id, "UTC")), row.who_id] += row.errors
    where = [cell.kind == _BY_DAY, *(cell[name] == sa.bindparam(f"its_{name}") for name in _OF_DAY)]
    counted = [
        {**{f"its_{name}": each for name, each in zip(_OF_DAY, key, strict=True)}, "count": count}
        for key, count in days.items()
    ]
    if counted:
        connection.execute(sa.update(_table).where(*where).values(errors=sa.bindparam("count")), counted)


def sum_up_days(connection: sa.Connection) -> None:
    """Of the quarters of an hour that are there, in the days of each organization's time zone."""
    cell, zone_of = _table.c, _zones(connection)
    days: dict[tuple[str, int, int], dict[str, Any]] = {}
    for row in connection.execute(sa.select(*cell).where(cell.kind == _BY_WHAT)).mappings():
        day = _day_of(row["bucket"], zone_of.get(row["what_id"], "UTC"))
        key = row["workspace_id"], day, row["what_id"]
        if (found := days.get(key)) is None:
            days[key] = {**row, "kind": _WHAT_BY_DAY, "bucket": day}
            continue
        found.update({name: found[name] + row[name] for name in (*_SUMMED, *_TEXTS)})
        found["last_at"] = max(found["last_at"], row["last_at"])
    if days:
        connection.execute(sa.insert(_table), list(days.values()))


def _zones(connection: sa.Connection) -> dict[int, str]:
    """The time zone of what was called, by its number."""
    organization = sa.table("organization", sa.column("id"), sa.column("time_zone")).c
    zones = sa.select(_what.c.id, organization.time_zone).where(organization.id == _what.c.organization_id)
    return {row.id: row.time_zone for row in connection.execute(zones)}


@cache
def _day_of(second: int, zone: str) -> int:
    """Its first second."""
    local = datetime.fromtimestamp(second, ZoneInfo(zone))
    return int(local.replace(hour=0, minute=0, second=0, fold=0).timestamp())
