"""The tables. Times are nanoseconds since 1970-01-01 UTC, money is nano-dollars, both 64-bit integers.

A change here needs a migration beside it (`storage/migrations/versions`); a test holds the two equal.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

Document = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def _id() -> Column[str]:
    return Column("id", Text, primary_key=True)


def _parent(table: str, *, nullable: bool = False, primary_key: bool = False) -> Column[str]:
    return Column(f"{table}_id", Text, ForeignKey(f"{table}.id"), nullable=nullable, primary_key=primary_key)


def _document(name: str) -> Column[Any]:
    return Column(name, Document, nullable=False)


def _limits() -> list[Column[Any]]:
    return [_document("usage_limits"), _document("rate_limits")]


def _times() -> list[Column[int]]:
    return [Column("created_at", BigInteger, nullable=False), Column("updated_at", BigInteger, nullable=False)]


counter = Table(
    "counter",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
    comment="`policy` goes up with every administrative change: nodes poll it to learn that policies are stale.",
)

setting = Table(
    "setting",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

organization = Table(
    "organization",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("time_zone_set_at", BigInteger, nullable=False, server_default="0"),
    *_limits(),
    Column("admission", Document),
    Column("routing", Document),
    Column("usage_reset_at", BigInteger),
    *_times(),
    Column("api_key_metadata_schema", Document),
    Column("workspace_metadata_schema", Document),
    Column("input_guardrails", Document),
    Column("output_guardrails", Document),
    Column("keep_bodies_days", Integer, comment="How long bodies of calls are kept; NULL: they never are."),
    Column("portal_origins", Document),
    Column("require_second_factor", Boolean, nullable=False, server_default=false()),
)

workspace = Table(
    "workspace",
    metadata,
    _id(),
    _parent("organization"),
    Column("slug", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("is_default", Boolean, nullable=False),
    _document("metadata"),
    *_limits(),
    Column("admission", Document),
    Column("routing", Document),
    Column("usage_reset_at", BigInteger),
    *_times(),
    Column("config_id", Text),
    Column("allow_config_override", Boolean, comment="NULL: it does."),
    Column("input_guardrails", Document),
    Column("output_guardrails", Document),
    Column("portal", Document),
    UniqueConstraint("organization_id", "slug"),
    UniqueConstraint("organization_id", "name"),
)

tenant = Table(
    "tenant",
    metadata,
    _id(),
    _parent("organization"),
    _parent("workspace"),
    Column("slug", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("tier", Text),
    Column("allowed_models", Document, comment="NULL: all that the workspace has."),
    Column("default_model", Text),
    Column("downgrade", Document),
    Column("suspended", Boolean, nullable=False, server_default=false()),
    _document("metadata"),
    *_limits(),
    Column("admission", Document),
    Column("routing", Document),
    Column("weight", Integer, nullable=False, server_default="1"),
    Column("usage_reset_at", BigInteger),
    *_times(),
    Column("portal", Document),
    UniqueConstraint("organization_id", "slug"),
    UniqueConstraint("workspace_id", "name"),
)

api_key = Table(
    "api_key",
    metadata,
    _id(),
    _parent("organization"),
    _parent("workspace", nullable=True),
    _parent("tenant", nullable=True),
    Column("level", Text, nullable=False, comment="organisation or workspace"),
    Column("owner", Text, nullable=False, comment="user or service"),
    Column("user_id", Text),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("masked", Text, nullable=False),
    _document("scopes"),
    _document("metadata"),
    Column("config_id", Text),
    Column("allow_config_override", Boolean, nullable=False),
    _document("alert_emails"),
    *_limits(),
    Column("usage_reset_at", BigInteger, comment="Usage before this moment no longer counts."),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    *_times(),
    Column("previous_hash", LargeBinary, comment="Of the secret before the last rotation, good until previous_until."),
    Column("previous_until", BigInteger),
    Column("rotated_at", BigInteger),
    Column("rotation_policy", Document),
    Column("next_rotation_at", BigInteger),
    Column("rotation_told_at", BigInteger, comment="When it was last told that a rotation is due."),
    Column("allowed_models", Document, comment="NULL: all that the workspace has."),
)
Index(None, api_key.c.workspace_id)
Index(None, api_key.c.tenant_id)
Index(None, api_key.c.next_rotation_at)
Index(None, api_key.c.user_id)

limit_policy = Table(
    "limit_policy",
    metadata,
    _id(),
    _parent("organization"),
    _parent("workspace", nullable=True),
    Column("name", Text, nullable=False),
    Column("limit_kind", Text, nullable=False, comment="usage or rate"),
    _document("conditions"),
    _document("group_by"),
    *_limits(),
    Column("usage_reset_at", BigInteger),
    *_times(),
    Column("group_resets", Document, comment="Pairs: a group's id, and when it was reset."),
)
Index(None, limit_policy.c.organization_id)

integration = Table(
    "integration",
    metadata,
    _id(),
    _parent("organization"),
    _parent("workspace", nullable=True),
    Column("slug", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("kind", Text, nullable=False, comment="The catalog's provider id."),
    Column("base_url", Text, comment="NULL: the catalog's."),
    Column("sealed_key", LargeBinary),
    Column("masked_key", Text, nullable=False),
    Column("sealed_headers", LargeBinary),
    _document("header_names"),
    Column("allow_all_models", Boolean, nullable=False),
    Column("global_enabled", Boolean, nullable=False),
    _document("global_usage_limits"),
    _document("global_rate_limits"),
    *_times(),
    Column("multipliers", Document, comment="Of prices: millionths by meter, and under `default`."),
    Column("capacity", Document),
    UniqueConstraint("organization_id", "slug"),
    UniqueConstraint("organization_id", "name"),
)

integration_workspace = Table(
    "integration_workspace",
    metadata,
    _parent("integration", primary_key=True),
    _parent("workspace", primary_key=True),
    Column("enabled", Boolean, nullable=False),
    *_limits(),
    Column("usage_reset_at", BigInteger),
    *_times(),
)

provider = Table(
    "provider",
    metadata,
    _id(),
    _parent("workspace"),
    _parent("integration"),
    Column("slug", Text, nullable=False),
    *_times(),
    Column("name", Text, nullable=False),
    Column("note", Text, nullable=False),
    *_limits(),
    Column("usage_reset_at", BigInteger),
    Column("expires_at", BigInteger),
    UniqueConstraint("workspace_id", "slug"),
)

integration_model = Table(
    "integration_model",
    metadata,
    _parent("integration", primary_key=True),
    Column("slug", Text, primary_key=True),
    Column("enabled", Boolean, nullable=False),
    Column("is_custom", Boolean, nullable=False),
    Column("is_finetune", Boolean, nullable=False),
    Column("base_model_slug", Text),
    Column("rates", Document, comment="Nano-dollars per million units, by meter."),
    *_times(),
    Column("base_url", Text, comment="NULL: the integration's."),
    Column("sealed_headers", LargeBinary),
    Column("header_names", Document),
)

usage_record = Table(
    "usage_record",
    metadata,
    # Without foreign keys: a record outlives what it names. On PostgreSQL there is a partition for each month of
    # `started_at` (storage.partitions), which is part of the primary key there: a record carries its time with it.
    Column("request_id", Text, primary_key=True),
    Column("trace_id", Text, nullable=False),
    Column("organization_id", Text, nullable=False),
    Column("workspace_id", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("tenant_id", Text),
    Column("integration_id", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("provider_kind", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("model_asked", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("stream", Boolean, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("first_byte_after", BigInteger),
    Column("ended_after", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("requests", Integer, nullable=False),
    _document("usage"),
    Column("usage_source", Text, nullable=False),
    _document("usage_flags"),
    Column("usage_raw", Text, nullable=False),
    Column("input_tokens", BigInteger, nullable=False, comment="Sum of the input meters of `usage`."),
    Column("output_tokens", BigInteger, nullable=False, comment="Sum of the output meters of `usage`."),
    Column("cost", BigInteger, nullable=False),
    _document("cost_lines"),
    Column("price_id", Text, nullable=False),
    _document("metadata"),
    Column("error", Text, nullable=False),
    _document("earlier_attempts"),
    Column("cache_status", Text, nullable=False),
    Column("config", Text, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("span_id", Text, nullable=False),
    Column("held_after", BigInteger),
    Column("held", Document, nullable=False, server_default="[]"),
)
for _owner in ("organization_id", "workspace_id", "tenant_id", "key_id"):
    Index(None, usage_record.c[_owner], usage_record.c.started_at)
Index(None, usage_record.c.trace_id)
_told = usage_record.c.span_id != ""
Index(None, usage_record.c.span_id, sqlite_where=_told, postgresql_where=_told)

audit = Table(
    "audit",
    metadata,
    _parent("organization", primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("resource", Text, nullable=False),
    # Text, not JSON: the hash covers these very characters.
    Column("body", Text, nullable=False),
    Column("previous_hash", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("user_id", Text),
    Column("workspace_id", Text),
    Column("request_id", Text),
    Column("method", Text),
    Column("uri", Text),
    Column("query", Text),
    Column("headers", Text),
    Column("request_body", Text),
    Column("client_ip", Text),
    Column("country", Text),
)
Index(None, audit.c.organization_id, audit.c.at)
