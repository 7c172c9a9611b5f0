"""Users, invites, members of workspaces; what the audit log keeps of a request; idempotency keys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "v0006"
down_revision = "v0005"
branch_labels = None
depends_on = None

_DOCUMENT = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    _users()
    _invites()
    _audit()
    _idempotency_keys()
    op.create_index(op.f("ix_api_key_user_id"), "api_key", ["user_id"])


def _users() -> None:
    op.create_table(
        "user_account",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False, comment="In lower case."),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_user_account_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("organization_id", "email", name=op.f("uq_user_account_organization_id_email")),
    )
    op.create_table(
        "workspace_user",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_workspace_user_user_id")),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("fk_workspace_user_workspace_id")),
        sa.PrimaryKeyConstraint("workspace_id", "user_id", name=op.f("pk_workspace_user")),
    )
    op.create_index(op.f("ix_workspace_user_user_id"), "workspace_user", ["user_id"])


def _invites() -> None:
    op.create_table(
        "invite",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("workspaces", _DOCUMENT, nullable=False),
        sa.Column("key_scopes", _DOCUMENT, nullable=True, comment="NULL: no key is made."),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("stored_status", sa.Text(), nullable=False, comment="pending, accepted or cancelled"),
        sa.Column("invited_by", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=True),
        sa.Column("user_id", sa.Text(), nullable=True, comment="Who accepted; outlives the user."),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_invite_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invite")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invite_token_hash")),
    )
    op.create_index(op.f("ix_invite_organization_id_email"), "invite", ["organization_id", "email"])


def _audit() -> None:
    for name in ("user_id", "workspace_id", "request_id", "method", "uri", "query", "headers"):
        op.add_column("audit", sa.Column(name, sa.Text(), nullable=True))
    for name in ("request_body", "client_ip"):
        op.add_column("audit", sa.Column(name, sa.Text(), nullable=True))
    op.create_index(op.f("ix_audit_organization_id_at"), "audit", ["organization_id", "at"])


def _idempotency_keys() -> None:
    op.create_table(
        "idempotency_key",
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("carried_out", sa.Boolean(), nullable=False, comment="Set in the transaction that makes the change."),
        sa.Column("status", sa.Integer(), nullable=True, comment="NULL: there is no answer yet."),
        sa.Column("sealed_body", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_idempotency_key_organization_id")
        ),
        sa.PrimaryKeyConstraint("organization_id", "actor", "key_hash", name=op.f("pk_idempotency_key")),
    )
    op.create_index(op.f("ix_idempotency_key_expires_at"), "idempotency_key", ["expires_at"])
