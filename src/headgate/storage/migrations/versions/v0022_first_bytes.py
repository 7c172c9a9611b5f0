"""Usage records say what was held and when; sums have first bytes beside latencies, and what was called by days."""

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


def upgrade() -> None:
    with op.batch_alter_table("usage_record") as rows:
        rows.add_column(sa.Column("held_after", sa.BigInteger(), nullable=True))
        rows.add_column(sa.Column("held", DOCUMENT, nullable=False, server_default="[]"))
    with op.batch_alter_table("usage_record") as rows:
        rows.alter_column("held", existing_type=DOCUMENT, existing_nullable=False, server_default=None)
    comment = "The same, up to the first byte of those that came to one."
    with op.batch_alter_table("usage_cell", table_kwargs=_SMALL) as cells:
        cells.add_column(sa.Column("first_bytes", sa.Text(), nullable=False, server_default="", comment=comment))
    with op.batch_alter_table("usage_cell", table_kwargs=_SMALL) as cells:
        cells.alter_column("first_bytes", existing_type=sa.Text(), existing_nullable=False, server_default=None)
    _sum_up_days(op.get_bind())


_SUMMED = ("calls", "requests", "input_tokens", "output_tokens", "cost", "took")
_TEXTS = ("latencies", "first_bytes")
_BY_WHAT, _WHAT_BY_DAY = 1, 3


def _sum_up_days(connection: sa.Connection) -> None:
    """Of the quarters of an hour that are there, in the days of each organization's time zone."""
    columns = ("workspace_id", "kind", "bucket", "who_id", "what_id", *_SUMMED, "last_at", *_TEXTS)
    table = sa.table("usage_cell", *map(sa.column, columns))
    cell = table.c
    what = sa.table("usage_what", sa.column("id"), sa.column("organization_id")).c
    organization = sa.table("organization", sa.column("id"), sa.column("time_zone")).c
    zones = sa.select(what.id, organization.time_zone).where(organization.id == what.organization_id)
    zone_of = {row.id: row.time_zone for row in connection.execute(zones)}
    days: dict[tuple[str, int, int], dict[str, Any]] = {}
    quarters = sa.select(*cell).where(cell.kind == _BY_WHAT)
    for row in connection.execute(quarters).mappings():
        day = _day_of(row["bucket"], zone_of.get(row["what_id"], "UTC"))
        key = row["workspace_id"], day, row["what_id"]
        if (found := days.get(key)) is None:
            days[key] = {**row, "kind": _WHAT_BY_DAY, "bucket": day}
            continue
        found.update({name: found[name] + row[name] for name in (*_SUMMED, *_TEXTS)})
        found["last_at"] = max(found["last_at"], row["last_at"])
    if days:
        connection.execute(sa.insert(table), list(days.values()))


@cache
def _day_of(second: int, zone: str) -> int:
    """Its first second."""
    local = datetime.fromtimestamp(second, ZoneInfo(zone))
    return int(local.replace(hour=0, minute=0, second=0, fold=0).timestamp())
