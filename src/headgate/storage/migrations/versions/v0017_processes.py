"""Processes that may hold something of shared allowances."""

import sqlalchemy as sa
from alembic import op

revision = "v0017"
down_revision = "v0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "process",
        sa.Column("id", sa.Text(), nullable=False, comment="Of one life: a process that starts again has another."),
        sa.Column("disk", sa.Text(), nullable=False, comment="Of its data directory, whose journal is its memory."),
        sa.Column("place", sa.Text(), nullable=False, comment="For people: host and data directory."),
        sa.Column("started_at", sa.BigInteger(), nullable=False, comment="By the database's clock, nanoseconds."),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_process")),
        comment="Processes that may hold something of shared allowances: until all is given back or accounted for.",
    )
    op.create_index(op.f("ix_process_disk"), "process", ["disk"])
