"""Nouns as the contract shows them. No view has a place for a secret."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from headgate.base.money import usd_decimal
from headgate.controlplane.limit_views import budgets
from headgate.ledger.allowance import Resource
from headgate.ledger.period import NEVER, period_of
from headgate.tenancy import admission_rules
from headgate.tenancy.limits import RESETS, UTC, RateLimit, UsageLimit
from headgate.tenancy.moments import to_iso
from headgate.tenancy.organization import Organization
from headgate.tenancy.pricing import plain
from headgate.tenancy.standing import Budgets
from headgate.tenancy.workspace import Workspace


def usage_limit(limit: UsageLimit, now: int) -> dict[str, Any]:
    """Amounts of type `cost` are US dollars."""

    def amount(value: int | None) -> Decimal | int | None:
        return plain(usd_decimal(value)) if value is not None and limit.resource is Resource.COST else value

    # The calendar is shown in UTC; the organization's zone is not known here.
    end = period_of(limit.window(UTC), now).end
    return {
        "type": limit.resource,
        "credit_limit": amount(limit.cap),
        "alert_threshold": amount(limit.alert_threshold),
        "alert_thresholds": None if limit.alert_percents is None else list(limit.alert_percents),
        "periodic_reset": RESETS[limit.reset] if limit.reset else None,
        "periodic_reset_days": limit.reset_days,
        "next_usage_reset_at": to_iso(end) if end < NEVER else None,
    }


def rate_limit(limit: RateLimit) -> dict[str, Any]:
    return {"type": limit.resource, "unit": limit.unit, "value": limit.value}


def usage_limits(limits: Iterable[UsageLimit], now: int) -> list[dict[str, Any]]:
    return [usage_limit(limit, now) for limit in limits]


def rate_limits(limits: Iterable[RateLimit]) -> list[dict[str, Any]]:
    return [rate_limit(limit) for limit in limits]


def organisation(found: Organization, standing: Budgets) -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name,
        "time_zone": found.time_zone,
        "defaults": {
            "input_guardrails": list(found.input_guardrails),
            "output_guardrails": list(found.output_guardrails),
        },
        "api_key_metadata_schema": found.api_key_metadata_schema,
        "workspace_metadata_schema": found.workspace_metadata_schema,
        "usage_limits": budgets(standing),
        "rate_limits": rate_limits(found.rate_limits),
        "admission": admission_rules.shown(found.admission),
        "routing_table": dict(found.routing),
        "portal_origins": list(found.portal_origins),
        "require_second_factor": found.require_second_factor,
        "log_bodies": None if found.keep_bodies_days is None else {"retention_days": found.keep_bodies_days},
        "created_at": to_iso(found.created_at),
        "last_updated_at": to_iso(found.updated_at),
        "object": "organisation",
    }


def workspace(found: Workspace, standing: Budgets) -> dict[str, Any]:
    return {
        "id": found.id,
        "slug": found.slug,
        "name": found.name,
        "description": found.description,
        "is_default": found.is_default,
        "defaults": {
            "metadata": dict(found.metadata),
            "config_id": found.config_id,
            "allow_config_override": found.allow_config_override,
            "input_guardrails": list(found.input_guardrails),
            "output_guardrails": list(found.output_guardrails),
        },
        "usage_limits": budgets(standing),
        "rate_limits": rate_limits(found.rate_limits),
        "admission": admission_rules.shown(found.admission),
        "routing_table": dict(found.routing),
        "portal": dict(found.portal),
        "created_at": to_iso(found.created_at),
        "last_updated_at": to_iso(found.updated_at),
        "object": "workspace",
    }
