"""Usage records say what was held and when; sums have first bytes beside latencies."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "v0022"
down_revision = "v0021"
branch_labels = None
depends_on = None

DOCUMENT = sa.JSON(none_as_null=True).with_variant(
    postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
)

_SMALL = {"sqlite_with_rowid": False}
"""As the table was made: SQLite makes it anew to change it."""


def upgrade() -> None:
    with op.batch_alter_table("usage_record") as rows:
        rows.add_column(sa.Column("held_after", sa.BigInteger(), nullable=True))
        rows.add_column(sa.Column("held", DOCUMENT, nullable=False, server_default="[]"))
    with op.batch_alter_table("usage_record") as rows:
        rows.alter_column("held", existing_type=DOCUMENT, existing_nullable=False, server_default=None)
    comment = "The same, up to the first byte of those that came to one."
    with op.batch_alter_table("usage_cell", table_kwargs=_SMALL) as cells:
        cells.add_column(sa.Column("first_bytes", sa.Text(), nullable=False, server_default="", comment=comment))
    with op.batch_alter_table("usage_cell", table_kwargs=_SMALL) as cells:
        cells.alter_column("first_bytes", existing_type=sa.Text(), existing_nullable=False, server_default=None)
