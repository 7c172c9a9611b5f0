"""Nouns as the contract shows them. No view has a place for a secret."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from headgate.base.money import usd_decimal
from headgate.ledger.allowance import Resource
from headgate.ledger.period import NEVER, period_of
from headgate.tenancy import admission_rules, pricing
from headgate.tenancy.integration import GlobalAccess, Integration, IntegrationModel, Provisioning
from headgate.tenancy.limits import RateLimit, UsageLimit
from headgate.tenancy.moments import to_iso
from headgate.tenancy.organization import Organization
from headgate.tenancy.pricing import plain
from headgate.tenancy.workspace import Workspace

_RESETS = {"day": "daily", "week": "weekly", "month": "monthly"}


def usage_limit(limit: UsageLimit, now: int) -> dict[str, Any]:
    """Amounts of type `cost` are US dollars."""

    def amount(value: int | None) -> Decimal | int | None:
        return plain(usd_decimal(value)) if value is not None and limit.resource is Resource.COST else value

    # The calendar is shown in UTC; the organization's zone is not known here.
    end = period_of(limit.window("UTC"), now).end
    return {
        "type": limit.resource,
        "credit_limit": amount(limit.cap),
        "alert_threshold": amount(limit.alert_threshold),
        "periodic_reset": _RESETS[limit.reset] if limit.reset else None,
        "periodic_reset_days": limit.reset_days,
        "next_usage_reset_at": to_iso(end) if end < NEVER else None,
    }


def rate_limit(limit: RateLimit) -> dict[str, Any]:
    return {"type": limit.resource, "unit": limit.unit, "value": limit.value}


def usage_limits(limits: Iterable[UsageLimit], now: int) -> list[dict[str, Any]]:
    return [usage_limit(limit, now) for limit in limits]


def rate_limits(limits: Iterable[RateLimit]) -> list[dict[str, Any]]:
    return [rate_limit(limit) for limit in limits]


def organisation(found: Organization, now: int) -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name,
        "time_zone": found.time_zone,
        "usage_limits": usage_limits(found.usage_limits, now),
        "rate_limits": rate_limits(found.rate_limits),
        "admission": admission_rules.shown(found.admission),
        "created_at": to_iso(found.created_at),
        "last_updated_at": to_iso(found.updated_at),
        "object": "organisation",
    }


def workspace(found: Workspace, now: int) -> dict[str, Any]:
    return {
        "id": found.id,
        "slug": found.slug,
        "name": found.name,
        "description": found.description,
        "is_default": found.is_default,
        "defaults": {"metadata": dict(found.metadata)},
        "usage_limits": usage_limits(found.usage_limits, now),
        "rate_limits": rate_limits(found.rate_limits),
        "admission": admission_rules.shown(found.admission),
        "created_at": to_iso(found.created_at),
        "last_updated_at": to_iso(found.updated_at),
        "object": "workspace",
    }


def integration(found: Integration) -> dict[str, Any]:
    """As in a list."""
    return {
        "id": found.id,
        "organisation_id": found.organization_id,
        "workspace_id": found.workspace_id,
        "ai_provider_id": found.kind,
        "slug": found.slug,
        "name": found.name,
        "description": found.description,
        "status": "active",
        "created_at": to_iso(found.created_at),
        "last_updated_at": to_iso(found.updated_at),
        "object": "integration",
    }


def integration_detail(found: Integration, provisioned: Sequence[Provisioning], now: int) -> dict[str, Any]:
    """On its own. Headers show their names only."""
    return integration(found) | {
        "masked_key": found.masked_key,
        "configurations": {
            "custom_host": found.base_url,
            "custom_headers": dict.fromkeys(found.header_names, "***"),
        },
        "allow_all_models": found.allow_all_models,
        "global_workspace_access_settings": global_access(found.global_access, now),
        "workspace_count": sum(each.enabled for each in provisioned),
    }


def global_access(found: GlobalAccess, now: int) -> dict[str, Any]:
    return {"enabled": found.enabled, **_object_and_list(found.usage_limits, found.rate_limits, now)}


def provisioning(of: Workspace, found: Provisioning, now: int) -> dict[str, Any]:
    return {
        "id": of.id,
        "slug": of.slug,
        "name": of.name,
        "enabled": found.enabled,
        **_object_and_list(found.usage_limits, found.rate_limits, now),
    }


def _object_and_list(budgets: Sequence[UsageLimit], rates: Sequence[RateLimit], now: int) -> dict[str, Any]:
    # The SDK takes an object or null here and fails on the arrays that the published API has.
    all_budgets, all_rates = usage_limits(budgets, now), rate_limits(rates)
    return {
        "usage_limits": all_budgets[0] if all_budgets else None,
        "rate_limits": all_rates[0] if all_rates else None,
        "usage_limits_list": all_budgets,
        "rate_limits_list": all_rates,
    }


def model(found: IntegrationModel) -> dict[str, Any]:
    return {
        "slug": found.slug,
        "name": found.slug,
        "enabled": found.enabled,
        "is_custom": found.is_custom,
        "is_finetune": found.is_finetune,
        "base_model_slug": found.base_model_slug,
        "pricing_config": None if found.rates is None else pricing.shown(found.rates),
    }


def catalog_model(slug: str, enabled: bool) -> dict[str, Any]:
    """A model of the catalog that no administrator said anything about."""
    return {
        "slug": slug,
        "name": slug,
        "enabled": enabled,
        "is_custom": False,
        "is_finetune": False,
        "base_model_slug": None,
        "pricing_config": None,
    }
