"""The tables of the portal: who belongs to a tenant, and who looks at one."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Table, Text, UniqueConstraint

from headgate.storage.tables import metadata

tenant_user = Table(
    "tenant_user",
    metadata,
    Column("tenant_id", Text, ForeignKey("tenant.id"), primary_key=True),
    Column("user_id", Text, ForeignKey("user_account.id"), primary_key=True),
    Column("role", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)
Index(None, tenant_user.c.user_id)

portal_session = Table(
    "portal_session",
    metadata,
    Column("id", Text, primary_key=True),
    Column("organization_id", Text, ForeignKey("organization.id"), nullable=False),
    Column("tenant_id", Text, ForeignKey("tenant.id"), nullable=False),
    Column("entry", Text, nullable=False, comment="link, key, user or view"),
    Column("role", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("link_hash", LargeBinary, comment="NULL: there was no link, or it was used."),
    Column("return_url", Text),
    Column("token_hash", LargeBinary, comment="Of the cookie; NULL: the link was not opened yet."),
    Column("key_id", Text),
    Column("key_hash", LargeBinary),
    Column("user_id", Text, ForeignKey("user_account.id")),
    Column("console_session_id", Text),
    Column("client_ip", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("opened_at", BigInteger),
    Column("seen_at", BigInteger, nullable=False, comment="To the minute."),
    Column("expires_at", BigInteger, nullable=False),
    UniqueConstraint("link_hash"),
    UniqueConstraint("token_hash"),
)
Index(None, portal_session.c.tenant_id)
Index(None, portal_session.c.user_id)
Index(None, portal_session.c.expires_at)
