"""Tenants as clients write and see them."""

from typing import Any

from pydantic import Field

from headgate.controlplane import views
from headgate.controlplane.bodies import Admission, Body, Metadata, RateLimits, RoutingTable, UsageLimits
from headgate.tenancy import admission_rules, short_limits, tenant_rules
from headgate.tenancy.moments import to_iso
from headgate.tenancy.tenant import Tenant


class TenantChange(Body):
    name: str | None = None
    tier: str | None = Field(None, description="What you call the customer's plan.")
    allowed_models: list[str] | None = Field(
        None, description="`@provider/model`, `model` or `@provider/*`; null: all that the workspace has."
    )
    default_model: str | None = Field(None, description="For calls that name no model.")
    max_requests_per_minute: Any = Field(None, description="A rate limit by its short name; null: none.")
    max_tokens_per_day: Any = Field(None, description="A daily budget by its short name; null: none.")
    monthly_budget_usd: Any = Field(None, description="A monthly budget by its short name; null: none.")
    usage_limits: UsageLimits = None
    rate_limits: RateLimits = None
    downgrade: dict[str, Any] | None = Field(
        None,
        description="`at`: the share of a budget from which on `models` are replaced, each by a cheaper one.",
        examples=[{"at": 0.9, "models": {"@anthropic/claude-opus-4-1": "@anthropic/claude-sonnet-4-5"}}],
    )
    status: str | None = Field(None, description="`active` or `suspended`: then none of its calls is taken.")
    metadata: Metadata = None
    reset_usage: bool | None = None
    admission: Admission = None
    routing_table: RoutingTable = None

    def sent(self) -> dict[str, Any]:
        # Neither can be cleared, so null leaves them as they are.
        kept = ("name", "status")
        return {name: value for name, value in super().sent().items() if name not in kept or value is not None}


class NewTenant(TenantChange):
    tenant_id: str | None = Field(None, description="Your own name for the customer; made from `name` if absent.")
    name: str | None = Field(None, description="`tenant_id` if absent.")
    workspace_id: str | None = Field(None, description="Slug or id.")


def shown(found: Tenant, now: int) -> dict[str, Any]:
    """Every limit is there once among the lists; those that have a short name are there by it too."""
    return {
        "id": found.id,
        "tenant_id": found.slug,
        "name": found.name,
        "workspace_id": found.workspace_id,
        "tier": found.tier,
        "allowed_models": found.allowed_models,
        "default_model": found.default_model,
        **short_limits.shown(found.usage_limits, found.rate_limits),
        "usage_limits": views.usage_limits(found.usage_limits, now),
        "rate_limits": views.rate_limits(found.rate_limits),
        "downgrade": tenant_rules.shown(found.downgrade),
        "status": found.status,
        "metadata": dict(found.metadata),
        "admission": admission_rules.shown(found.admission),
        "routing_table": dict(found.routing),
        "created_at": to_iso(found.created_at),
        "last_updated_at": to_iso(found.updated_at),
        "object": "tenant",
    }
