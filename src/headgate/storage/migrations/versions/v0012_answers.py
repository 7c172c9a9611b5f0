"""Calls with an idempotency key: whose usage record says whether they were charged."""

import sqlalchemy as sa
from alembic import op

revision = "v0012"
down_revision = "v0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    told = "Of a call to a model: its usage record's."
    op.add_column("idempotency_key", sa.Column("request_id", sa.Text(), comment=told))
