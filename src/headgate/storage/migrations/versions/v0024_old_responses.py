"""Responses at providers that are no longer there are found by their age."""

from alembic import op

revision = "v0024"
down_revision = "v0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_kept_object_kind_created_at"), "kept_object", ["kind", "created_at"])
