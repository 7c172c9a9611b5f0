"""The tables of signing in: second factors, identities at an issuer, links that set a password, and what failed."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Table, Text

from headgate.storage.tables import Document, metadata

second_factor = Table(
    "second_factor",
    metadata,
    Column("user_id", Text, ForeignKey("user_account.id"), primary_key=True),
    Column("organization_id", Text, ForeignKey("organization.id"), nullable=False),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("recovery_hashes", Document, nullable=False, comment="Of the codes that were not used, in hexadecimal."),
    Column("last_step", BigInteger, nullable=False, comment="Of the last code that was taken."),
    Column("created_at", BigInteger, nullable=False),
    Column("confirmed_at", BigInteger, comment="NULL: it was begun, and is asked of nobody."),
)
Index(None, second_factor.c.organization_id)

user_identity = Table(
    "user_identity",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("user_account.id"), nullable=False),
    Column("linked_at", BigInteger, nullable=False),
)
Index(None, user_identity.c.user_id)

password_reset = Table(
    "password_reset",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("organization_id", Text, ForeignKey("organization.id"), nullable=False),
    Column("user_id", Text, ForeignKey("user_account.id"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)
Index(None, password_reset.c.user_id)
Index(None, password_reset.c.expires_at)

sign_in_attempt = Table(
    "sign_in_attempt",
    metadata,
    Column("attempt", Text, primary_key=True),
    Column("subject", Text, primary_key=True, comment="Digest of what was tried, by whom or from where."),
    Column("at", BigInteger, nullable=False),
)
Index(None, sign_in_attempt.c.subject, sign_in_attempt.c.at)
Index(None, sign_in_attempt.c.at)
