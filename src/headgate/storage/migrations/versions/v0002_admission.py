"""Admission rules on organization, workspace and tenant."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "v0002"
down_revision = "v0001"
branch_labels = None
depends_on = None

_DOCUMENT = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    for table in ("organization", "workspace", "tenant"):
        op.add_column(table, sa.Column("admission", _DOCUMENT))
