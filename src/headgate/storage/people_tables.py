"""The tables of people: users, where they are members, who is invited; and the answers that are given again."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from headgate.storage.tables import Document, metadata

user_account = Table(
    "user_account",
    metadata,
    Column("id", Text, primary_key=True),
    Column("organization_id", Text, ForeignKey("organization.id"), nullable=False),
    Column("email", Text, nullable=False, comment="In lower case."),
    Column("first_name", Text, nullable=False),
    Column("last_name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    UniqueConstraint("organization_id", "email"),
)

workspace_user = Table(
    "workspace_user",
    metadata,
    Column("workspace_id", Text, ForeignKey("workspace.id"), primary_key=True),
    Column("user_id", Text, ForeignKey("user_account.id"), primary_key=True),
    Column("role", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)
Index(None, workspace_user.c.user_id)

invite = Table(
    "invite",
    metadata,
    Column("id", Text, primary_key=True),
    Column("organization_id", Text, ForeignKey("organization.id"), nullable=False),
    Column("email", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("workspaces", Document, nullable=False),
    Column("tenants", Document),
    Column("key_scopes", Document, comment="NULL: no key is made."),
    Column("token_hash", LargeBinary, nullable=False),
    Column("stored_status", Text, nullable=False, comment="pending, accepted or cancelled"),
    Column("invited_by", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("accepted_at", BigInteger),
    Column("user_id", Text, comment="Who accepted; outlives the user."),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    UniqueConstraint("token_hash"),
)
Index(None, invite.c.organization_id, invite.c.email)

idempotency_key = Table(
    "idempotency_key",
    metadata,
    Column("organization_id", Text, ForeignKey("organization.id"), primary_key=True),
    Column("actor", Text, primary_key=True),
    Column("key_hash", LargeBinary, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("carried_out", Boolean, nullable=False, comment="Set in the transaction that makes the change."),
    Column("status", Integer, comment="NULL: there is no answer yet."),
    Column("sealed_body", LargeBinary),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("request_id", Text, comment="Of a call to a model: its usage record's."),
)
Index(None, idempotency_key.c.expires_at)
