"""The tables of analytics: usage records, summed up by time and by what they have in common.

Ids of `usage_who` and `usage_what` are small numbers, because a cell has both: there may be a cell for every call.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, SmallInteger, Table, Text, UniqueConstraint, text

from headgate.storage.tables import metadata

_Number = BigInteger().with_variant(Integer, "sqlite")

usage_who = Table(
    "usage_who",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("digest", Text, nullable=False, comment="Of all that makes it up, metadata too: finds it again."),
    Column("organization_id", Text, nullable=False),
    Column("workspace_id", Text, nullable=False),
    Column("tenant_id", Text, nullable=False, comment="Empty: none."),
    Column("key_id", Text, nullable=False),
    Column("user_name", Text, nullable=False, comment="Metadata `_user`; empty: none."),
    UniqueConstraint("digest"),
    comment="Who calls: each key with each set of metadata once.",
)
Index(None, usage_who.c.workspace_id, usage_who.c.tenant_id)
Index(None, usage_who.c.key_id)

usage_who_tag = Table(
    "usage_who_tag",
    metadata,
    Column("who_id", _Number, primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("organization_id", Text, nullable=False),
    sqlite_with_rowid=False,
    comment="The metadata of `usage_who`.",
)
Index(None, usage_who_tag.c.organization_id, usage_who_tag.c.name, usage_who_tag.c.value)

usage_tag_name = Table(
    "usage_tag_name",
    metadata,
    Column("organization_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("distinct_values", Integer, nullable=False),
    Column("wide", Boolean, nullable=False, comment="It has too many values to be told apart from here on."),
    comment="The metadata names that were seen.",
)

usage_what = Table(
    "usage_what",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("organization_id", Text, nullable=False),
    Column("workspace_id", Text, nullable=False),
    Column("integration_id", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("provider_kind", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("rescued", Boolean, nullable=False, comment="It took more than one attempt."),
    Column("cache_status", Text, nullable=False),
    Column("config", Text, nullable=False, comment="Its slug; empty: none."),
    Column("prompt", Text, nullable=False, comment="Its slug; empty: none."),
    UniqueConstraint("digest"),
    comment="What was called, and what came of it.",
)
Index(None, usage_what.c.organization_id)

FULL = 0
"""By who and what, in quarter hours."""
BY_WHAT = 1
"""By what alone, in quarter hours; `who_id` is 0."""
BY_DAY = 2
"""By who alone, in days of the organization's time zone; `what_id` is 0."""
WHAT_BY_DAY = 3
"""By what alone, in the same days; `who_id` is 0."""

usage_cell = Table(
    "usage_cell",
    metadata,
    Column("workspace_id", Text, primary_key=True),
    Column("kind", SmallInteger, primary_key=True, autoincrement=False, comment="See analytics_tables."),
    Column("bucket", BigInteger, primary_key=True, autoincrement=False, comment="Its first second."),
    Column("who_id", BigInteger, primary_key=True, autoincrement=False),
    Column("what_id", BigInteger, primary_key=True, autoincrement=False),
    Column("calls", BigInteger, nullable=False, comment="Records."),
    Column("requests", BigInteger, nullable=False, comment="Of callers: less where one call has several records."),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("cost", BigInteger, nullable=False),
    Column("took", BigInteger, nullable=False, comment="Sum of `ended_after`."),
    Column(
        "errors",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="Of `requests`, those with a status of 400 or more.",
    ),
    Column("last_at", BigInteger, nullable=False, comment="The latest `started_at`."),
    Column("latencies", Text, nullable=False, comment="See analytics.latency."),
    Column(
        "first_bytes",
        Text,
        nullable=False,
        server_default=text("''"),
        comment="The same, up to the first byte of those that came to one.",
    ),
    sqlite_with_rowid=False,
    comment="Sums over usage records; kept in the transaction that writes the records.",
)
