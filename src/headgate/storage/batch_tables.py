"""The table of batches, which are charged before it is known what they cost."""

from sqlalchemy import BigInteger, Column, Index, Table, Text

from headgate.storage.tables import Document, metadata

OPEN = "open"
CORRECTED = "corrected"
GIVEN_UP = "given_up"

batch = Table(
    "batch",
    metadata,
    Column("id", Text, primary_key=True, comment="The provider's."),
    Column("integration_id", Text, primary_key=True),
    Column("organization_id", Text, nullable=False),
    Column("workspace_id", Text, nullable=False),
    Column("request_id", Text, nullable=False, comment="Of its usage record."),
    Column("started_at", BigInteger, nullable=False, comment="As in its usage record."),
    Column("format", Text, nullable=False, comment="Of its lines."),
    Column("price", Text, nullable=False, comment="When it was made, in JSON; empty: none."),
    Column("allowances", Document, nullable=False, comment="The ids of those that it was charged to."),
    Column("next_at", BigInteger, nullable=False, comment="When to ask for it."),
    Column("status", Text, nullable=False, comment="open, corrected or given_up"),
    Column("ended_at", BigInteger, comment="When it was corrected or given up."),
)
Index(None, batch.c.status, batch.c.next_at)
Index(None, batch.c.request_id)
