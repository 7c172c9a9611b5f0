"""The table of processes that share allowances."""

from sqlalchemy import BigInteger, Column, Index, Table, Text

from headgate.storage.tables import metadata

process = Table(
    "process",
    metadata,
    Column("id", Text, primary_key=True, comment="Of one life: a process that starts again has another."),
    Column("disk", Text, nullable=False, comment="Of its data directory, whose journal is its memory."),
    Column("place", Text, nullable=False, comment="For people: host and data directory."),
    Column("started_at", BigInteger, nullable=False, comment="By the database's clock, nanoseconds."),
    Column("seen_at", BigInteger, nullable=False),
    comment="Processes that may hold something of shared allowances: until all is given back or accounted for.",
)
Index(None, process.c.disk)
