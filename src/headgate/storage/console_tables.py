"""The tables of the console: passwords, and who has signed in."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Table, Text, UniqueConstraint

from headgate.storage.tables import metadata

user_password = Table(
    "user_password",
    metadata,
    Column("user_id", Text, ForeignKey("user_account.id"), primary_key=True),
    Column("hash", Text, nullable=False, comment="argon2id, with its parameters and salt."),
    Column("set_at", BigInteger, nullable=False),
)

console_session = Table(
    "console_session",
    metadata,
    Column("id", Text, primary_key=True),
    Column("organization_id", Text, ForeignKey("organization.id"), nullable=False),
    Column("token_hash", LargeBinary, nullable=False),
    Column("user_id", Text, ForeignKey("user_account.id"), comment="NULL: signed in with a key."),
    Column("key_id", Text),
    Column("key_hash", LargeBinary, comment="Of the secret that was shown."),
    Column("workspace_id", Text),
    Column("client_ip", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False, comment="To the minute."),
    Column("expires_at", BigInteger, nullable=False),
    UniqueConstraint("token_hash"),
)
Index(None, console_session.c.user_id)
Index(None, console_session.c.key_id)
Index(None, console_session.c.expires_at)
