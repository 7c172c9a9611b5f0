"""Providers as rows of their own; prices and addresses of integrations' models; which models a key may use."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "v0008"
down_revision = "v0007"
branch_labels = None
depends_on = None

_DOCUMENT = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    _provider()
    op.add_column(
        "integration",
        sa.Column("multipliers", _DOCUMENT, comment="Of prices: millionths by meter, and under `default`."),
    )
    op.add_column("integration_model", sa.Column("base_url", sa.Text(), comment="NULL: the integration's."))
    op.add_column("integration_model", sa.Column("sealed_headers", sa.LargeBinary()))
    op.add_column("integration_model", sa.Column("header_names", _DOCUMENT))
    op.add_column("api_key", sa.Column("allowed_models", _DOCUMENT, comment="NULL: all that the workspace has."))


def _provider() -> None:
    filled: list[tuple[str, Any, str]] = [("name", sa.Text(), ""), ("note", sa.Text(), "")]
    filled += [("usage_limits", _DOCUMENT, "[]"), ("rate_limits", _DOCUMENT, "[]")]
    with op.batch_alter_table("provider") as table:
        for name, kind, default in filled:
            table.add_column(sa.Column(name, kind, nullable=False, server_default=default))
        table.add_column(sa.Column("usage_reset_at", sa.BigInteger()))
        table.add_column(sa.Column("expires_at", sa.BigInteger()))
    op.execute("UPDATE provider SET name = slug")
    with op.batch_alter_table("provider") as table:
        for name, kind, _ in filled:
            table.alter_column(name, existing_type=kind, existing_nullable=False, server_default=None)
