"""Tenants as clients write and see them."""

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from headgate.controlplane import limit_views, views
from headgate.controlplane.bodies import Admission, Body, Metadata, RateLimits, RoutingTable, UsageLimits
from headgate.controlplane.body import STAYS
from headgate.controlplane.portal_bodies import Portal
from headgate.controlplane.services import Services
from headgate.ledger.allowance import Resource
from headgate.tenancy import admission_rules, short_limits, tenant_rules
from headgate.tenancy.moments import to_iso
from headgate.tenancy.standing import Budgets
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
    portal: Portal = None
    weight: int | None = Field(None, description="Its share of a provider's capacity beside other tenants': 1.")
    tenant_id: str | None = Field(None, description="Cannot be changed.", json_schema_extra=STAYS)
    workspace_id: str | None = Field(None, description="Cannot be changed.", json_schema_extra=STAYS)

    def sent(self) -> dict[str, Any]:
        # None of them can be cleared, so null leaves them as they are.
        kept = ("name", "status", "weight")
        return {name: value for name, value in super().sent().items() if name not in kept or value is not None}


class NewTenant(TenantChange):
    tenant_id: str | None = Field(None, description="Your own name for the customer; made from `name` if absent.")
    name: str | None = Field(None, description="`tenant_id` if absent.")
    workspace_id: str | None = Field(None, description="Slug or id.")


async def shown(found: Sequence[Tenant], services: Services) -> list[dict[str, Any]]:
    """Tenants of one organization, with where their limits stand."""
    if not found:
        return []
    spent = [short_limits.with_a_month(tenant) for tenant in found]
    standings = await services.standings.of(found[0].organization_id, spent)
    return [_shown(tenant, standing) for tenant, standing in zip(found, standings, strict=True)]


def _shown(found: Tenant, standing: Budgets) -> dict[str, Any]:
    """Every limit is there once among the lists; those that have a short name are there by it too. `current_spend_usd`
    is what counts against the monthly budget, or would."""
    budgets = limit_views.budgets(standing)
    [month] = (each for each in budgets if (each["type"], each["periodic_reset"]) == (Resource.COST, "monthly"))
    bounded = len(found.usage_limits) == len(standing)
    return {
        "id": found.id,
        "tenant_id": found.slug,
        "name": found.name,
        "workspace_id": found.workspace_id,
        "tier": found.tier,
        "allowed_models": found.allowed_models,
        "default_model": found.default_model,
        **short_limits.shown(found.usage_limits, found.rate_limits),
        "current_spend_usd": month["current_usage"],
        "remaining_budget_usd": month["remaining"] if bounded else None,
        "budget_resets_at": month["next_usage_reset_at"] if bounded else None,
        "usage_limits": budgets[: len(found.usage_limits)],
        "rate_limits": views.rate_limits(found.rate_limits),
        "downgrade": tenant_rules.shown(found.downgrade),
        "status": found.status,
        "metadata": dict(found.metadata),
        "admission": admission_rules.shown(found.admission),
        "routing_table": dict(found.routing),
        "weight": found.weight,
        "portal": dict(found.portal),
        "created_at": to_iso(found.created_at),
        "last_updated_at": to_iso(found.updated_at),
        "object": "tenant",
    }
