"""Batches that are charged before it is known what they cost."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "v0023"
down_revision = "v0022"
branch_labels = None
depends_on = None

DOCUMENT = sa.JSON(none_as_null=True).with_variant(
    postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
)


def upgrade() -> None:
    op.create_table(
        "batch",
        sa.Column("id", sa.Text(), nullable=False, comment="The provider's."),
        sa.Column("integration_id", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False, comment="Of its usage record."),
        sa.Column("started_at", sa.BigInteger(), nullable=False, comment="As in its usage record."),
        sa.Column("format", sa.Text(), nullable=False, comment="Of its lines."),
        sa.Column("price", sa.Text(), nullable=False, comment="When it was made, in JSON; empty: none."),
        sa.Column("allowances", DOCUMENT, nullable=False, comment="The ids of those that it was charged to."),
        sa.Column("next_at", sa.BigInteger(), nullable=False, comment="When to ask for it."),
        sa.Column("status", sa.Text(), nullable=False, comment="open, corrected or given_up"),
        sa.Column("ended_at", sa.BigInteger(), nullable=True, comment="When it was corrected or given up."),
        sa.PrimaryKeyConstraint("id", "integration_id", name=op.f("pk_batch")),
    )
    op.create_index(op.f("ix_batch_status_next_at"), "batch", ["status", "next_at"])
    op.create_index(op.f("ix_batch_request_id"), "batch", ["request_id"])
