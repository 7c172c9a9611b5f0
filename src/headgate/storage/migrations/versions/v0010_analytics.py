"""Rollups of usage, request logs, exports."""

revision = "v0010"
down_revision = "v0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
