"""Rotation of API keys; resets of single groups of limit policies."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "v0007"
down_revision = "v0006"
branch_labels = None
depends_on = None

_DOCUMENT = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.add_column(
        "api_key",
        sa.Column(
            "previous_hash",
            sa.LargeBinary(),
            comment="Of the secret before the last rotation, good until previous_until.",
        ),
    )
    op.add_column("api_key", sa.Column("previous_until", sa.BigInteger()))
    op.add_column("api_key", sa.Column("rotated_at", sa.BigInteger()))
    op.add_column("api_key", sa.Column("rotation_policy", _DOCUMENT))
    op.add_column("api_key", sa.Column("next_rotation_at", sa.BigInteger()))
    op.add_column(
        "api_key",
        sa.Column("rotation_told_at", sa.BigInteger(), comment="When it was last told that a rotation is due."),
    )
    op.add_column(
        "limit_policy", sa.Column("group_resets", _DOCUMENT, comment="Pairs: a group's id, and when it was reset.")
    )
    op.create_index(op.f("ix_api_key_next_rotation_at"), "api_key", ["next_rotation_at"])
