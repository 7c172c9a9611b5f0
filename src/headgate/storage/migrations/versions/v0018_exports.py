"""Exports are written into a file of parts; those from before have none."""

import sqlalchemy as sa
from alembic import op

revision = "v0018"
down_revision = "v0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "export_part",
        sa.Column("export_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="Some lines, packed and encrypted."),
        sa.PrimaryKeyConstraint("export_id", "number", name=op.f("pk_export_part")),
    )
    with op.batch_alter_table("usage_export") as exports:
        exports.add_column(
            sa.Column("reason", sa.Text(), nullable=False, server_default=sa.text("''"), comment="Why it failed.")
        )
        exports.add_column(sa.Column("place_at", sa.BigInteger(), comment="The last of them: started_at."))
        exports.add_column(sa.Column("place_id", sa.Text(), comment="The last of them: request_id."))
        exports.add_column(
            sa.Column(
                "leased_until",
                sa.BigInteger(),
                nullable=False,
                server_default="0",
                comment="Somebody writes it until then.",
            )
        )
    with op.batch_alter_table("usage_export") as exports:
        exports.alter_column(
            "done",
            existing_type=sa.BigInteger(),
            existing_nullable=False,
            existing_comment="Records sent by the download that began last.",
            comment="Records in its file.",
        )
    op.create_index(op.f("ix_usage_export_status"), "usage_export", ["status"], unique=False)
    op.execute("UPDATE usage_export SET status = 'stopped' WHERE status = 'success'")
