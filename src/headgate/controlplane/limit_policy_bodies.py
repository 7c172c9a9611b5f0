"""Limit policies as clients write and see them."""

from typing import Any, Final

from pydantic import Field

from headgate.controlplane import views
from headgate.controlplane.bodies import Body
from headgate.tenancy.limit_policy import LimitKind, LimitPolicy
from headgate.tenancy.moments import to_iso

_OBJECTS: Final = {LimitKind.USAGE: "policy_usage_limits", LimitKind.RATE: "policy_rate_limits"}


class _Group(Body):
    name: str | None = None
    conditions: list[dict[str, Any]] | None = Field(
        None, description="`{key, value, excludes}`, all of which must be met; `value` may be a list or end in `*`."
    )
    group_by: list[dict[str, Any]] | None = Field(None, description="`{key}`: one counter for each value.")

    def sent(self) -> dict[str, Any]:
        return {name: value for name, value in super().sent().items() if name != "name" or value is not None}


class UsagePolicyChange(_Group):
    type: str | None = Field(None, description="`cost`, `tokens` or `requests`.")
    credit_limit: Any = Field(None, description="US dollars, tokens or requests; 0 blocks.")
    alert_threshold: Any = Field(None, description="An amount, as `credit_limit` is.")
    periodic_reset: str | None = Field(None, description="`daily`, `weekly` or `monthly`.")
    periodic_reset_days: int | None = None
    reset_usage: bool | None = None


class RatePolicyChange(_Group):
    type: str | None = Field(None, description="`requests`, `tokens`, `input_tokens`, `output_tokens`, `in_flight`.")
    unit: str | None = Field(None, description="`rps`, `rpm`, `rph`, `rpd` or `rpw`; not with `in_flight`.")
    value: Any = Field(None, description="0 blocks.")


class NewUsagePolicy(UsagePolicyChange):
    name: str
    workspace_id: str | None = Field(None, description="Slug or id; without it calls of all workspaces count.")


class NewRatePolicy(RatePolicyChange):
    name: str
    workspace_id: str | None = Field(None, description="Slug or id; without it calls of all workspaces count.")


def made(found: LimitPolicy) -> dict[str, Any]:
    """The answer to whoever made it."""
    return {"id": found.id, "object": _OBJECTS[found.limit_kind]}


def shown(found: LimitPolicy, now: int) -> dict[str, Any]:
    """All of it."""
    limits = [views.usage_limit(each, now) for each in found.usage_limits] + views.rate_limits(found.rate_limits)
    return {
        "id": found.id,
        "name": found.name,
        "status": "active",
        "organisation_id": found.organization_id,
        "workspace_id": found.workspace_id,
        "conditions": [
            {
                "key": each.key,
                "value": each.values[0] if len(each.values) == 1 else list(each.values),
                "excludes": each.excludes,
            }
            for each in found.conditions
        ],
        "group_by": [{"key": key} for key in found.group_by],
        **limits[0],
        "created_at": to_iso(found.created_at),
        "last_updated_at": to_iso(found.updated_at),
        "object": _OBJECTS[found.limit_kind],
    }
