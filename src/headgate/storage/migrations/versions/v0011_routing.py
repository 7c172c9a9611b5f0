"""Routing tables; the attempts before the one that answered; capacities, and tenants' weights beside each other."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "v0011"
down_revision = "v0010"
branch_labels = None
depends_on = None

_DOCUMENT = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    for table in ("organization", "workspace", "tenant"):
        op.add_column(table, sa.Column("routing", _DOCUMENT))
    op.add_column("organization", sa.Column("time_zone_set_at", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("integration", sa.Column("capacity", _DOCUMENT))
    op.add_column("tenant", sa.Column("weight", sa.Integer(), nullable=False, server_default="1"))
    with op.batch_alter_table("usage_record") as records:
        records.add_column(sa.Column("earlier_attempts", _DOCUMENT, nullable=False, server_default="[]"))
        records.add_column(sa.Column("requests", sa.Integer(), nullable=False, server_default="1"))
    with op.batch_alter_table("usage_record") as records:
        records.alter_column("earlier_attempts", existing_type=_DOCUMENT, existing_nullable=False, server_default=None)
        records.alter_column("requests", existing_type=sa.Integer(), existing_nullable=False, server_default=None)
