"""The tables of configs and guardrails, and of what each of them was in every version."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, Table, Text, UniqueConstraint

from headgate.storage.tables import Document, metadata

config = Table(
    "config",
    metadata,
    Column("id", Text, primary_key=True),
    Column("organization_id", Text, ForeignKey("organization.id"), nullable=False),
    Column("workspace_id", Text, ForeignKey("workspace.id")),
    Column("slug", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("document", Document, nullable=False),
    Column("archived", Boolean, nullable=False),
    Column("version_id", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    UniqueConstraint("organization_id", "slug"),
)

guardrail = Table(
    "guardrail",
    metadata,
    Column("id", Text, primary_key=True),
    Column("organization_id", Text, ForeignKey("organization.id"), nullable=False),
    Column("workspace_id", Text, ForeignKey("workspace.id")),
    Column("slug", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("checks", Document, nullable=False),
    Column("actions", Document, nullable=False),
    Column("version_id", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    UniqueConstraint("organization_id", "slug"),
)

version = Table(
    "version",
    metadata,
    Column("id", Text, primary_key=True),
    # Without a foreign key: of a config or of a guardrail, whose ids differ.
    Column("of_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("document", Document, nullable=False),
    Column("actor", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("of_id", "number"),
)
