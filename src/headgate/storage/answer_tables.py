"""The table of what every process is to forget of the answers it keeps in memory."""

from sqlalchemy import BigInteger, Column, Index, Table, Text

from headgate.storage.tables import metadata

answer_purge = Table(
    "answer_purge",
    metadata,
    Column("id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False, comment="The count of changes with this one."),
    Column("at", BigInteger, nullable=False),
    Column("organization_id", Text, nullable=False),
    Column("workspace_id", Text),
    Column("tenant_id", Text),
    comment="Answers that every process is to forget.",
)
Index(None, answer_purge.c.version)
