"""The portal: what customers may do in it, who belongs to a tenant, and who looks at one."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "v0016"
down_revision = "v0015"
branch_labels = None
depends_on = None

DOCUMENT = sa.JSON(none_as_null=True).with_variant(
    postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
)
ADDED = (("organization", "portal_origins"), ("workspace", "portal"), ("tenant", "portal"), ("invite", "tenants"))


def upgrade() -> None:
    for table, column in ADDED:
        op.add_column(table, sa.Column(column, DOCUMENT, nullable=True))
    op.create_table(
        "tenant_user",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_tenant_user_tenant_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_tenant_user_user_id")),
        sa.PrimaryKeyConstraint("tenant_id", "user_id", name=op.f("pk_tenant_user")),
    )
    op.create_index(op.f("ix_tenant_user_user_id"), "tenant_user", ["user_id"])
    op.create_table(
        "portal_session",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("entry", sa.Text(), nullable=False, comment="link, key, user or view"),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("link_hash", sa.LargeBinary(), nullable=True, comment="NULL: there was no link, or it was used."),
        sa.Column("return_url", sa.Text(), nullable=True),
        sa.Column(
            "token_hash", sa.LargeBinary(), nullable=True, comment="Of the cookie; NULL: the link was not opened yet."
        ),
        sa.Column("key_id", sa.Text(), nullable=True),
        sa.Column("key_hash", sa.LargeBinary(), nullable=True),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("console_session_id", sa.Text(), nullable=True),
        sa.Column("client_ip", sa.Text(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=False, comment="To the minute."),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_portal_session_organization_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_portal_session_tenant_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_portal_session_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_session")),
        sa.UniqueConstraint("link_hash", name=op.f("uq_portal_session_link_hash")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_portal_session_token_hash")),
    )
    for column in ("tenant_id", "user_id", "expires_at"):
        op.create_index(op.f(f"ix_portal_session_{column}"), "portal_session", [column])
