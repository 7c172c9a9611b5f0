"""Usage records say which config and prompt a call came from, and its span."""

import sqlalchemy as sa
from alembic import op

revision = "v0014"
down_revision = "v0013"
branch_labels = None
depends_on = None

_SLUG = "Its slug; empty: none."


def upgrade() -> None:
    _add("usage_record", [("config", None), ("prompt", None), ("span_id", None)])
    told = sa.text("span_id != ''")
    op.create_index(
        op.f("ix_usage_record_span_id"),
        "usage_record",
        ["span_id"],
        unique=False,
        sqlite_where=told,
        postgresql_where=told,
    )
    _add("usage_what", [("config", _SLUG), ("prompt", _SLUG)])


def _add(table: str, columns: list[tuple[str, str | None]]) -> None:
    """Empty in the rows that are there."""
    with op.batch_alter_table(table) as rows:
        for name, comment in columns:
            rows.add_column(sa.Column(name, sa.Text(), nullable=False, server_default="", comment=comment))
    with op.batch_alter_table(table) as rows:
        for name, _ in columns:
            rows.alter_column(name, existing_type=sa.Text(), existing_nullable=False, server_default=None)
