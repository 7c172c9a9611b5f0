"""The tables of what lives at a provider and belongs to somebody here, and of stored prompts."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text, UniqueConstraint

from headgate.storage.tables import Document, metadata

kept_object = Table(
    "kept_object",
    metadata,
    Column("id", Text, primary_key=True, comment="The provider's."),
    Column("integration_id", Text, primary_key=True),
    Column("kind", Text, nullable=False, comment="response, file or batch"),
    Column("organization_id", Text, nullable=False),
    Column("workspace_id", Text, nullable=False),
    Column("tenant_id", Text),
    Column("key_id", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("document", Text, nullable=False, comment="As the provider showed it last; empty for a response."),
    Column("created_at", BigInteger, nullable=False),
)
Index(None, kept_object.c.key_id, kept_object.c.kind, kept_object.c.created_at)
Index(None, kept_object.c.tenant_id, kept_object.c.kind, kept_object.c.created_at)
Index(None, kept_object.c.kind, kept_object.c.created_at)

prompt = Table(
    "prompt",
    metadata,
    Column("id", Text, primary_key=True),
    Column("organization_id", Text, ForeignKey("organization.id"), nullable=False),
    Column("workspace_id", Text, ForeignKey("workspace.id"), nullable=False),
    Column("slug", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("document", Document, nullable=False),
    Column("version_id", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    UniqueConstraint("organization_id", "slug"),
)
