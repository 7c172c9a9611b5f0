"""An organization may require a second factor of whoever signs in with a password."""

import sqlalchemy as sa
from alembic import op

revision = "v0025"
down_revision = "v0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "organization", sa.Column("require_second_factor", sa.Boolean(), nullable=False, server_default=sa.false())
    )
