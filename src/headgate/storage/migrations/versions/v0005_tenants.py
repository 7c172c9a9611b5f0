"""Tenants in full: tier, models, downgrade, and whether they are suspended."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "v0005"
down_revision = "v0004"
branch_labels = None
depends_on = None

_DOCUMENT = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.add_column("tenant", sa.Column("tier", sa.Text()))
    op.add_column("tenant", sa.Column("allowed_models", _DOCUMENT, comment="NULL: all that the workspace has."))
    op.add_column("tenant", sa.Column("default_model", sa.Text()))
    op.add_column("tenant", sa.Column("downgrade", _DOCUMENT))
    op.add_column("tenant", sa.Column("suspended", sa.Boolean(), nullable=False, server_default=sa.false()))
