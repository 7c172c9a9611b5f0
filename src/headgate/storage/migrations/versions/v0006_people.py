"""Users, invites, members of workspaces; idempotency keys."""

revision = "v0006"
down_revision = "v0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
