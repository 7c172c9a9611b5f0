"""The tables of alerts: what is used, what was told of it, to whom, and how that went.

Events and deliveries have no foreign keys to what they tell of: they outlive it.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from headgate.storage.tables import Document, metadata

allowance_use = Table(
    "allowance_use",
    metadata,
    Column("allowance_id", Text, primary_key=True),
    Column("window_start", BigInteger, primary_key=True, autoincrement=False),
    Column("window_end", BigInteger, comment="NULL: it has no end."),
    Column("settled", BigInteger, nullable=False, comment="In the resource's unit."),
    Column(
        "forgotten",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="The part of `settled` whose records are kept no longer.",
    ),
    comment="Sums over usage records by period of each budget; kept in the transaction that writes the records.",
)
Index(None, allowance_use.c.window_end)

alert_told = Table(
    "alert_told",
    metadata,
    Column("allowance_id", Text, primary_key=True),
    Column("window_start", BigInteger, primary_key=True, autoincrement=False),
    Column("threshold", Text, primary_key=True),
    Column("window_end", BigInteger),
    Column("amount", BigInteger, nullable=False, comment="Where it stood."),
    Column("event_id", Text, nullable=False),
    comment="Which thresholds were told in which period: each once.",
)
Index(None, alert_told.c.window_end)

alert_setting = Table(
    "alert_setting",
    metadata,
    Column("organization_id", Text, ForeignKey("organization.id"), primary_key=True),
    Column("workspace_id", Text, primary_key=True, comment="Empty: of the whole organization."),
    Column("percents", Document, comment="NULL: inherited."),
    Column("emails", Document, nullable=False),
)

webhook = Table(
    "webhook",
    metadata,
    Column("id", Text, primary_key=True),
    Column("organization_id", Text, ForeignKey("organization.id"), nullable=False),
    Column("workspace_id", Text, ForeignKey("workspace.id")),
    Column("tenant_id", Text, ForeignKey("tenant.id")),
    Column("url", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("types", Document, nullable=False),
    Column("status", Text, nullable=False),
    Column("status_reason", Text, nullable=False),
    Column("failing_since", BigInteger),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("sealed_previous", LargeBinary),
    Column("previous_until", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)
Index(None, webhook.c.organization_id)

event = Table(
    "event",
    metadata,
    Column("id", Text, primary_key=True),
    Column("organization_id", Text, nullable=False),
    Column("workspace_id", Text),
    Column("tenant_id", Text),
    Column("key_id", Text),
    Column("type", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("addressed", Boolean, nullable=False, comment="Its deliveries are made."),
)
Index(None, event.c.addressed, event.c.at)

delivery = Table(
    "delivery",
    metadata,
    Column("id", Text, primary_key=True),
    Column("event_id", Text, ForeignKey("event.id"), nullable=False),
    Column("organization_id", Text, nullable=False),
    Column("lane", Text, nullable=False, comment="The webhook's id, or email."),
    Column("recipient", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("event_id", "lane", "recipient"),
)
Index(None, delivery.c.status, delivery.c.next_at)
Index(None, delivery.c.lane, delivery.c.created_at)

attempt = Table(
    "delivery_attempt",
    metadata,
    Column("delivery_id", Text, ForeignKey("delivery.id"), primary_key=True),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("latency_ms", Integer, nullable=False),
    Column("status", Integer),
    Column("answer", Text, nullable=False),
    Column("error", Text, nullable=False),
)
