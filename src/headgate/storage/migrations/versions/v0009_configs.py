"""Configs with their versions, guardrails, metadata schemas."""

revision = "v0009"
down_revision = "v0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
