"""The tables of request logs: bodies that an organization chose to keep, logs sent in, feedback, and exports.

Without foreign keys: they outlive what they name.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, Table, Text, text

from headgate.storage.tables import Document, metadata

call_body = Table(
    "call_body",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("organization_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False, comment="Request and answer, encrypted together."),
    Column("cut", Boolean, nullable=False, comment="One of them was longer than is kept."),
)
Index(None, call_body.c.organization_id, call_body.c.at)

sent_log = Table(
    "sent_log",
    metadata,
    Column("id", Text, primary_key=True),
    Column("organization_id", Text, nullable=False),
    Column("workspace_id", Text, nullable=False),
    Column("tenant_id", Text),
    Column("key_id", Text, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False, comment="The whole log, encrypted."),
)
Index(None, sent_log.c.organization_id, sent_log.c.at)

feedback = Table(
    "feedback",
    metadata,
    Column("id", Text, primary_key=True),
    Column("organization_id", Text, nullable=False),
    Column("workspace_id", Text, nullable=False),
    Column("tenant_id", Text),
    Column("key_id", Text, nullable=False, comment="Whose feedback it is."),
    Column("trace_id", Text, nullable=False),
    Column("value", Integer, nullable=False, comment="-10 to 10"),
    Column("weight", Integer, nullable=False, comment="Millionths, 0 to 1,000,000."),
    Column("metadata", Document, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)
Index(None, feedback.c.organization_id, feedback.c.created_at)
Index(None, feedback.c.trace_id)

usage_export = Table(
    "usage_export",
    metadata,
    Column("id", Text, primary_key=True),
    Column("organization_id", Text, nullable=False),
    Column("workspace_id", Text),
    Column("tenant_id", Text),
    Column("description", Text, nullable=False),
    Column("filters", Document, nullable=False),
    Column("requested_data", Document, nullable=False),
    Column("format", Text, nullable=False, comment="jsonl or csv"),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=text("''"), comment="Why it failed."),
    Column("total", BigInteger, nullable=False, comment="Records it has."),
    Column("done", BigInteger, nullable=False, comment="Records in its file."),
    Column("place_at", BigInteger, comment="The last of them: started_at."),
    Column("place_id", Text, comment="The last of them: request_id."),
    Column("leased_until", BigInteger, nullable=False, server_default="0", comment="Somebody writes it until then."),
    Column("created_by", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)
Index(None, usage_export.c.organization_id, usage_export.c.created_at)
Index(None, usage_export.c.status)

export_part = Table(
    "export_part",
    metadata,
    Column("export_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False, comment="Some lines, packed and encrypted."),
)
