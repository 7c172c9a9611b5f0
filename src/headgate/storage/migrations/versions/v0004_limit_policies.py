"""Limit policies, and resets of the usage of organization, workspace and tenant."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "v0004"
down_revision = "v0003"
branch_labels = None
depends_on = None

_DOCUMENT = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    for table in ("organization", "workspace", "tenant"):
        op.add_column(table, sa.Column("usage_reset_at", sa.BigInteger()))
    op.create_table(
        "limit_policy",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("limit_kind", sa.Text(), nullable=False, comment="usage or rate"),
        sa.Column("conditions", _DOCUMENT, nullable=False),
        sa.Column("group_by", _DOCUMENT, nullable=False),
        sa.Column("usage_limits", _DOCUMENT, nullable=False),
        sa.Column("rate_limits", _DOCUMENT, nullable=False),
        sa.Column("usage_reset_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_limit_policy_organization_id")),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("fk_limit_policy_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limit_policy")),
    )
    op.create_index(op.f("ix_limit_policy_organization_id"), "limit_policy", ["organization_id"])
