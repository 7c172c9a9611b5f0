"""Integrations, and what of them workspaces and models get, as the contract shows them; their secrets masked."""

from collections.abc import Iterable, Sequence
from typing import Any

from headgate.controlplane.limit_views import budgets
from headgate.controlplane.views import rate_limits, usage_limits
from headgate.tenancy import pricing
from headgate.tenancy.capacity_rules import shown
from headgate.tenancy.credential_checks import CredentialCheck
from headgate.tenancy.integration import GlobalAccess, Integration, IntegrationModel, Provisioning
from headgate.tenancy.limits import RateLimit
from headgate.tenancy.moments import to_iso
from headgate.tenancy.standing import Budgets
from headgate.tenancy.workspace import Workspace


def integration(found: Integration) -> dict[str, Any]:
    """As in a list."""
    return {
        "id": found.id,
        "organisation_id": found.organization_id,
        "workspace_id": found.workspace_id,
        "type": "organisation" if found.workspace_id is None else "workspace",
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
        "configurations": configurations(found.base_url, found.header_names) | {"capacity": shown(found.capacity)},
        "allow_all_models": found.allow_all_models,
        "pricing_adjustments": pricing.shown_multipliers(found.multipliers),
        "global_workspace_access_settings": global_access(found.global_access, now),
        "workspace_count": sum(each.enabled for each in provisioned),
    }


def credential_check(found: CredentialCheck) -> dict[str, Any]:
    """`status` is null where no answer came, `models` where none were listed."""
    return {
        "outcome": found.outcome,
        "message": found.message,
        "status": found.status or None,
        "models": found.models,
        "took_ms": found.took_ms,
        "object": "credential_check",
    }


def configurations(host: str | None, header_names: Iterable[str]) -> dict[str, Any]:
    return {"custom_host": host, "custom_headers": dict.fromkeys(header_names, "***")}


def global_access(found: GlobalAccess, now: int) -> dict[str, Any]:
    return {"enabled": found.enabled, **_object_and_list(usage_limits(found.usage_limits, now), found.rate_limits)}


def provisioning(of: Workspace, found: Provisioning, standing: Budgets) -> dict[str, Any]:
    return {
        "id": of.id,
        "slug": of.slug,
        "name": of.name,
        "enabled": found.enabled,
        **_object_and_list(budgets(standing), found.rate_limits),
        "created_at": to_iso(found.created_at),
        "last_updated_at": to_iso(found.updated_at),
    }


def _object_and_list(its_budgets: list[dict[str, Any]], rates: Sequence[RateLimit]) -> dict[str, Any]:
    # The SDK takes an object or null here and fails on the arrays that the published API has.
    its_rates = rate_limits(rates)
    return {
        "usage_limits": its_budgets[0] if its_budgets else None,
        "rate_limits": its_rates[0] if its_rates else None,
        "usage_limits_list": its_budgets,
        "rate_limits_list": its_rates,
    }


def model(found: IntegrationModel) -> dict[str, Any]:
    return {
        "slug": found.slug,
        "name": found.slug,
        "enabled": found.enabled,
        "is_custom": found.is_custom,
        "is_finetune": found.is_finetune,
        "base_model_slug": found.base_model_slug,
        "configurations": None if found.base_url is None else configurations(found.base_url, found.header_names),
        "pricing_config": None if found.rates is None else pricing.shown(found.rates),
        "created_at": to_iso(found.created_at),
        "last_updated_at": to_iso(found.updated_at),
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
        "configurations": None,
        "pricing_config": None,
    }
