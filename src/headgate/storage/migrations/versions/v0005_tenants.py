"""Tenants in full: tier, models, downgrade, what a backend may do for them."""

revision = "v0005"
down_revision = "v0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
