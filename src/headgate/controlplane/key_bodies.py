"""API keys as clients write and see them."""

from typing import Any

from pydantic import Field

from headgate.controlplane.bodies import Body, Defaults, RateLimits, UsageLimits
from headgate.controlplane.body import STAYS
from headgate.controlplane.limit_views import budgets
from headgate.controlplane.views import rate_limits
from headgate.tenancy.api_key import ApiKey
from headgate.tenancy.moments import to_iso
from headgate.tenancy.standing import Budgets


class Rotation(Body):
    """When a key's secret is to be replaced."""

    rotation_period: str | None = Field(None, description="`weekly` or `monthly`.")
    rotation_period_days: int | None = Field(None, description="1 to 365; instead of `rotation_period`.")
    next_rotation_at: str | None = Field(None, description="ISO 8601; reckoned from the period if absent.")
    key_transition_period_ms: int | None = Field(None, description="1,800,000 or more, which is the default.")


class KeyRotation(Body):
    key_transition_period_ms: int | None = Field(
        None,
        description="1,800,000 or more, or 0 to end the old secret at once; else what the key's policy says, or half "
        "an hour.",
    )


class KeyChange(Body):
    name: str | None = None
    description: str | None = None
    scopes: list[str] | None = None
    defaults: Defaults | None = None
    usage_limits: UsageLimits = None
    usage_limits_list: UsageLimits = None
    rate_limits: RateLimits = None
    alert_emails: list[str] | None = None
    allowed_models: list[str] | None = Field(
        None, description="`@provider/model`, `model` or `@provider/*`; null: all that the workspace has."
    )
    expires_at: str | None = Field(None, description="ISO 8601, in the future.")
    rotation_policy: Rotation | None = None
    reset_usage: bool | None = None
    user_id: str | None = Field(None, description="Cannot be changed.", json_schema_extra=STAYS)
    workspace_id: str | None = Field(None, description="Cannot be changed.", json_schema_extra=STAYS)
    tenant_id: str | None = Field(None, description="Cannot be changed.", json_schema_extra=STAYS)
    type: str | None = Field(None, description="Cannot be changed.", json_schema_extra=STAYS)

    def sent(self) -> dict[str, Any]:
        # Neither can be cleared, so null leaves them as they are.
        kept = ("name", "scopes")
        return {name: value for name, value in super().sent().items() if name not in kept or value is not None}


class NewKey(KeyChange):
    name: str
    scopes: list[str]
    workspace_id: str | None = Field(None, description="Slug or id; needed with an admin key.")
    tenant_id: str | None = Field(None, description="Slug or id of a tenant of that workspace.")
    user_id: str | None = None


def shown(found: ApiKey, standing: Budgets, now: int) -> dict[str, Any]:
    """`usage_limits` is an object or null, as the SDK demands; all of them are in `usage_limits_list`."""
    its_budgets = budgets(standing)
    status = found.status(now)
    if status == "active" and any(each.exhausted for each in standing):
        status = "exhausted"
    return {
        "id": found.id,
        "key": found.masked,
        "name": found.name,
        "description": found.description,
        "type": f"{found.level}-{found.owner}",
        "organisation_id": found.organization_id,
        "workspace_id": found.workspace_id,
        "tenant_id": found.tenant_id,
        "user_id": found.user_id,
        "status": status,
        "scopes": sorted(found.scopes),
        "defaults": {
            "metadata": dict(found.metadata),
            "config_id": found.config_id,
            "allow_config_override": found.allow_config_override,
        },
        "usage_limits": its_budgets[0] if its_budgets else None,
        "usage_limits_list": its_budgets,
        "rate_limits": rate_limits(found.rate_limits),
        "reset_usage": False,
        "alert_emails": list(found.alert_emails),
        "allowed_models": found.allowed_models,
        "expires_at": _moment(found.expires_at),
        "last_reset_at": _moment(found.usage_reset_at),
        "rotation_policy": _rotation(found),
        "last_rotated_at": _moment(found.rotated_at),
        "key_transition_expires_at": _moment(found.previous_until if found.in_transition(now) else None),
        "creation_mode": "api",
        "created_at": to_iso(found.created_at),
        "last_updated_at": to_iso(found.updated_at),
        "object": "api-key",
    }


def _rotation(found: ApiKey) -> dict[str, Any] | None:
    policy = found.rotation_policy
    if policy is None:
        return None
    return {
        "rotation_period": policy.period,
        "rotation_period_days": policy.days,
        "next_rotation_at": _moment(found.next_rotation_at),
        "key_transition_period_ms": policy.transition_ms,
    }


def _moment(at: int | None) -> str | None:
    return None if at is None else to_iso(at)
