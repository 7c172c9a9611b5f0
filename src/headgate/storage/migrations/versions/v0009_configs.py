"""Configs with their versions, guardrails, metadata schemas."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "v0009"
down_revision = "v0008"
branch_labels = None
depends_on = None

_DOCUMENT = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    _versioned(
        "config", sa.Column("document", _DOCUMENT, nullable=False), sa.Column("archived", sa.Boolean(), nullable=False)
    )
    _versioned(
        "guardrail", sa.Column("checks", _DOCUMENT, nullable=False), sa.Column("actions", _DOCUMENT, nullable=False)
    )
    op.create_table(
        "version",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("of_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", _DOCUMENT, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_version")),
        sa.UniqueConstraint("of_id", "number", name=op.f("uq_version_of_id_number")),
    )
    for column in ("api_key_metadata_schema", "workspace_metadata_schema", "input_guardrails", "output_guardrails"):
        op.add_column("organization", sa.Column(column, _DOCUMENT))
    op.add_column("workspace", sa.Column("config_id", sa.Text()))
    op.add_column("workspace", sa.Column("allow_config_override", sa.Boolean(), comment="NULL: it does."))
    for column in ("input_guardrails", "output_guardrails"):
        op.add_column("workspace", sa.Column(column, _DOCUMENT))


def _versioned(table: str, *columns: sa.Column[Any]) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=True),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        *columns,
        sa.Column("version_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f(f"fk_{table}_organization_id")),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f(f"fk_{table}_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("organization_id", "slug", name=op.f(f"uq_{table}_organization_id_slug")),
    )
