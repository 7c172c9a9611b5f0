"""Alerts: use of budgets, what was told of it, webhooks and deliveries."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "v0003"
down_revision = "v0002"
branch_labels = None
depends_on = None

_DOCUMENT = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    _use()
    _setting()
    _webhook()
    _event()
    _delivery()


def _use() -> None:
    op.create_table(
        "allowance_use",
        sa.Column("allowance_id", sa.Text(), nullable=False),
        sa.Column("window_start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("window_end", sa.BigInteger(), nullable=True, comment="NULL: it has no end."),
        sa.Column("settled", sa.BigInteger(), nullable=False, comment="In the resource's unit."),
        sa.PrimaryKeyConstraint("allowance_id", "window_start", name=op.f("pk_allowance_use")),
        comment="Sums over usage records by period of each budget; kept in the transaction that writes the records.",
    )
    op.create_index(op.f("ix_allowance_use_window_end"), "allowance_use", ["window_end"])
    op.create_table(
        "alert_told",
        sa.Column("allowance_id", sa.Text(), nullable=False),
        sa.Column("window_start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("threshold", sa.Text(), nullable=False),
        sa.Column("window_end", sa.BigInteger(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False, comment="Where it stood."),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("allowance_id", "window_start", "threshold", name=op.f("pk_alert_told")),
        comment="Which thresholds were told in which period: each once.",
    )
    op.create_index(op.f("ix_alert_told_window_end"), "alert_told", ["window_end"])


def _setting() -> None:
    op.create_table(
        "alert_setting",
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=False, comment="Empty: of the whole organization."),
        sa.Column("percents", _DOCUMENT, nullable=True, comment="NULL: inherited."),
        sa.Column("emails", _DOCUMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_alert_setting_organization_id")
        ),
        sa.PrimaryKeyConstraint("organization_id", "workspace_id", name=op.f("pk_alert_setting")),
    )


def _webhook() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=True),
        sa.Column("tenant_id", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("types", _DOCUMENT, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_reason", sa.Text(), nullable=False),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_previous", sa.LargeBinary(), nullable=True),
        sa.Column("previous_until", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_webhook_organization_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_webhook_tenant_id")),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name=op.f("fk_webhook_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    op.create_index(op.f("ix_webhook_organization_id"), "webhook", ["organization_id"])


def _event() -> None:
    op.create_table(
        "event",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Text(), nullable=True),
        sa.Column("tenant_id", sa.Text(), nullable=True),
        sa.Column("key_id", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("addressed", sa.Boolean(), nullable=False, comment="Its deliveries are made."),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index(op.f("ix_event_addressed_at"), "event", ["addressed", "at"])


def _delivery() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False, comment="The webhook's id, or email."),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_delivery_event_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("event_id", "lane", "recipient", name=op.f("uq_delivery_event_id_lane_recipient")),
    )
    op.create_index(op.f("ix_delivery_status_next_at"), "delivery", ["status", "next_at"])
    op.create_index(op.f("ix_delivery_lane_created_at"), "delivery", ["lane", "created_at"])
    op.create_table(
        "delivery_attempt",
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("latency_ms", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_delivery_attempt_delivery_id")),
        sa.PrimaryKeyConstraint("delivery_id", "at", name=op.f("pk_delivery_attempt")),
    )
