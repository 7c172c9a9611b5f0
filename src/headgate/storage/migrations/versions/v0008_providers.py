"""Providers as rows of their own; integrations of one workspace."""

revision = "v0008"
down_revision = "v0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
