"""Usage records in partitions by month on PostgreSQL; what was counted of records that are gone; purges of answers."""

import sqlalchemy as sa
from alembic import op

revision = "v0015"
down_revision = "v0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "allowance_use",
        sa.Column(
            "forgotten",
            sa.BigInteger(),
            nullable=False,
            server_default="0",
            comment="The part of `settled` whose records are kept no longer.",
        ),
    )
    op.create_table(
        "answer_purge",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="The count of changes with this one."),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=True),
        sa.Column("tenant_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_purge")),
        comment="Answers that every process is to forget.",
    )
    op.create_index(op.f("ix_answer_purge_version"), "answer_purge", ["version"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        _partition()


def _partition() -> None:
    """The table becomes the partition for what lies in no month yet; the months are cut out of it as they are made."""
    statement = sa.text(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() "
        "AND tablename = 'usage_record' AND indexname <> 'pk_usage_record'"
    )
    indexes = op.get_bind().execute(statement).all()
    op.execute("ALTER TABLE usage_record RENAME TO usage_record_default")
    op.execute("ALTER TABLE usage_record_default DROP CONSTRAINT pk_usage_record")
    for name, _ in indexes:
        op.execute(f"ALTER INDEX {name} RENAME TO {name.replace('usage_record', 'usage_record_default')}")
    op.execute(
        "CREATE TABLE usage_record (LIKE usage_record_default INCLUDING DEFAULTS INCLUDING COMMENTS) "
        "PARTITION BY RANGE (started_at)"
    )
    for table in ("usage_record", "usage_record_default"):
        # A record carries its time with it, so the two together are as unique as the request id.
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT pk_{table} PRIMARY KEY (request_id, started_at)")
    for _, definition in indexes:
        op.execute(definition)
    op.execute("ALTER TABLE usage_record ATTACH PARTITION usage_record_default DEFAULT")
