"""The first schema: all tables as of version 0.1."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "v0001"
down_revision = None
branch_labels = None
depends_on = None

_DOCUMENT = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    _counter()
    _organization()
    _setting()
    _usage_record()
    _audit()
    _workspace()
    _integration()
    _tenant()
    _api_key()
    _integration_model()
    _integration_workspace()
    _provider()
    op.execute("INSERT INTO counter (name, value) VALUES ('policy', 0)")


def _counter() -> None:
    op.create_table(
        "counter",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counter")),
        comment="`policy` goes up with every administrative change: nodes poll it to learn that policies are stale.",
    )


def _organization() -> None:
    op.create_table(
        "organization",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("usage_limits", _DOCUMENT, nullable=False),
        sa.Column("rate_limits", _DOCUMENT, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization")),
    )


def _setting() -> None:
    op.create_table(
        "setting",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_setting")),
    )


def _usage_record() -> None:
    op.create_table(
        "usage_record",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=True),
        sa.Column("integration_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("provider_kind", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("model_asked", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("stream", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("first_byte_after", sa.BigInteger(), nullable=True),
        sa.Column("ended_after", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("usage", _DOCUMENT, nullable=False),
        sa.Column("usage_source", sa.Text(), nullable=False),
        sa.Column("usage_flags", _DOCUMENT, nullable=False),
        sa.Column("usage_raw", sa.Text(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False, comment="Sum of the input meters of `usage`."),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False, comment="Sum of the output meters of `usage`."),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("cost_lines", _DOCUMENT, nullable=False),
        sa.Column("price_id", sa.Text(), nullable=False),
        sa.Column("metadata", _DOCUMENT, nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_usage_record")),
    )
    op.create_index(op.f("ix_usage_record_key_id_started_at"), "usage_record", ["key_id", "started_at"], unique=False)
    op.create_index(
        op.f("ix_usage_record_organization_id_started_at"),
        "usage_record",
        ["organization_id", "started_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_usage_record_tenant_id_started_at"), "usage_record", ["tenant_id", "started_at"], unique=False
    )
    op.create_index(
        op.f("ix_usage_record_workspace_id_started_at"), "usage_record", ["workspace_id", "started_at"], unique=False
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_audit_organization_id")),
        sa.PrimaryKeyConstraint("organization_id", "seq", name=op.f("pk_audit")),
    )


def _workspace() -> None:
    op.create_table(
        "workspace",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("metadata", _DOCUMENT, nullable=False),
        sa.Column("usage_limits", _DOCUMENT, nullable=False),
        sa.Column("rate_limits", _DOCUMENT, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_workspace_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspace")),
        sa.UniqueConstraint("organization_id", "name", name=op.f("uq_workspace_organization_id_name")),
        sa.UniqueConstraint("organization_id", "slug", name=op.f("uq_workspace_organization_id_slug")),
    )


def _integration() -> None:
    op.create_table(
        "integration",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=True),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="The catalog's provider id."),
        sa.Column("base_url", sa.Text(), nullable=True, comment="NULL: the catalog's."),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=True),
        sa.Column("masked_key", sa.Text(), nullable=False),
        sa.Column("sealed_headers", sa.LargeBinary(), nullable=True),
        sa.Column("header_names", _DOCUMENT, nullable=False),
        sa.Column("allow_all_models", sa.Boolean(), nullable=False),
        sa.Column("global_enabled", sa.Boolean(), nullable=False),
        sa.Column("global_usage_limits", _DOCUMENT, nullable=False),
        sa.Column("global_rate_limits", _DOCUMENT, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_integration_organization_id")),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("fk_integration_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integration")),
        sa.UniqueConstraint("organization_id", "name", name=op.f("uq_integration_organization_id_name")),
        sa.UniqueConstraint("organization_id", "slug", name=op.f("uq_integration_organization_id_slug")),
    )


def _tenant() -> None:
    op.create_table(
        "tenant",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("metadata", _DOCUMENT, nullable=False),
        sa.Column("usage_limits", _DOCUMENT, nullable=False),
        sa.Column("rate_limits", _DOCUMENT, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_tenant_organization_id")),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("fk_tenant_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenant")),
        sa.UniqueConstraint("organization_id", "slug", name=op.f("uq_tenant_organization_id_slug")),
        sa.UniqueConstraint("workspace_id", "name", name=op.f("uq_tenant_workspace_id_name")),
    )


def _api_key() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=True),
        sa.Column("tenant_id", sa.Text(), nullable=True),
        sa.Column("level", sa.Text(), nullable=False, comment="organisation or workspace"),
        sa.Column("owner", sa.Text(), nullable=False, comment="user or service"),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("masked", sa.Text(), nullable=False),
        sa.Column("scopes", _DOCUMENT, nullable=False),
        sa.Column("metadata", _DOCUMENT, nullable=False),
        sa.Column("config_id", sa.Text(), nullable=True),
        sa.Column("allow_config_override", sa.Boolean(), nullable=False),
        sa.Column("alert_emails", _DOCUMENT, nullable=False),
        sa.Column("usage_limits", _DOCUMENT, nullable=False),
        sa.Column("rate_limits", _DOCUMENT, nullable=False),
        sa.Column(
            "usage_reset_at", sa.BigInteger(), nullable=True, comment="Usage before this moment no longer counts."
        ),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_api_key_organization_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_api_key_tenant_id")),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("fk_api_key_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
    )
    op.create_index(op.f("ix_api_key_tenant_id"), "api_key", ["tenant_id"], unique=False)
    op.create_index(op.f("ix_api_key_workspace_id"), "api_key", ["workspace_id"], unique=False)


def _integration_model() -> None:
    op.create_table(
        "integration_model",
        sa.Column("integration_id", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("is_custom", sa.Boolean(), nullable=False),
        sa.Column("is_finetune", sa.Boolean(), nullable=False),
        sa.Column("base_model_slug", sa.Text(), nullable=True),
        sa.Column("rates", _DOCUMENT, nullable=True, comment="Nano-dollars per million units, by meter."),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integration.id"], name=op.f("fk_integration_model_integration_id")
        ),
        sa.PrimaryKeyConstraint("integration_id", "slug", name=op.f("pk_integration_model")),
    )


def _integration_workspace() -> None:
    op.create_table(
        "integration_workspace",
        sa.Column("integration_id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("usage_limits", _DOCUMENT, nullable=False),
        sa.Column("rate_limits", _DOCUMENT, nullable=False),
        sa.Column("usage_reset_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integration.id"], name=op.f("fk_integration_workspace_integration_id")
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("fk_integration_workspace_workspace_id")),
        sa.PrimaryKeyConstraint("integration_id", "workspace_id", name=op.f("pk_integration_workspace")),
    )


def _provider() -> None:
    op.create_table(
        "provider",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("integration_id", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["integration_id"], ["integration.id"], name=op.f("fk_provider_integration_id")),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("fk_provider_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider")),
        sa.UniqueConstraint("workspace_id", "slug", name=op.f("uq_provider_workspace_id_slug")),
    )
