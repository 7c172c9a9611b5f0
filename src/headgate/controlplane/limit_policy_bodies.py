"""Limit policies as clients write and see them."""

from collections.abc import Sequence
from typing import Any, Final

from pydantic import Field

from headgate.controlplane import views
from headgate.controlplane.body import STAYS, Body, Reference
from headgate.controlplane.limit_views import dollars
from headgate.ledger.allowance import Resource
from headgate.tenancy.limit_policy import LimitKind, LimitPolicy
from headgate.tenancy.limit_policy_groups import Group
from headgate.tenancy.moments import to_iso

_OBJECTS: Final = {LimitKind.USAGE: "policy_usage_limits", LimitKind.RATE: "policy_rate_limits"}


class _Group(Body):
    name: str | None = None
    conditions: list[dict[str, Any]] | None = Field(
        None, description="`{key, value, excludes}`, all of which must be met; `value` may be a list or end in `*`."
    )
    group_by: list[dict[str, Any]] | None = Field(None, description="`{key}`: one counter for each value.")
    workspace_id: str | None = Field(None, description="Cannot be changed.", json_schema_extra=STAYS)

    def sent(self) -> dict[str, Any]:
        return {name: value for name, value in super().sent().items() if name != "name" or value is not None}


class UsagePolicyChange(_Group):
    type: str | None = Field(None, description="`cost`, `tokens` or `requests`.")
    credit_limit: Any = Field(None, description="US dollars, tokens or requests; 0 blocks.")
    alert_threshold: Any = Field(None, description="An amount, as `credit_limit` is.")
    alert_thresholds: list[int] | None = Field(None, description="Percents of it; null: the workspace's.")
    periodic_reset: str | None = Field(None, description="`daily`, `weekly` or `monthly`.")
    periodic_reset_days: int | None = None
    next_usage_reset_at: str | None = Field(
        None, description="The day of the first reset, where `periodic_reset_days` are set for the first time."
    )
    reset_usage: bool | None = None
    reset_usage_for_value: str | None = Field(None, description="The value, or the id, of one group.")


class RatePolicyChange(_Group):
    type: str | None = Field(None, description="`requests`, `tokens`, `input_tokens`, `output_tokens`, `in_flight`.")
    unit: str | None = Field(None, description="`rps`, `rpm`, `rph`, `rpd` or `rpw`; not with `in_flight`.")
    value: Any = Field(None, description="0 blocks.")


class NewUsagePolicy(UsagePolicyChange):
    name: str
    workspace_id: Reference | None = Field(None, description="Slug or id; without it calls of all workspaces count.")


class NewRatePolicy(RatePolicyChange):
    name: str
    workspace_id: Reference | None = Field(None, description="Slug or id; without it calls of all workspaces count.")


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


def group(policy: LimitPolicy, found: Group) -> dict[str, Any]:
    """One of its groups, as an entity of the contract."""
    return {
        "id": found.id,
        "policy_id": policy.id,
        "value": found.value,
        "group": dict(zip(policy.group_by, found.values, strict=True)),
        **_standing(found),
        "object": f"{_OBJECTS[policy.limit_kind]}_entity",
    }


def usage_map(groups: Sequence[Group]) -> dict[str, Any]:
    """By the groups' values."""
    return {each.value: _standing(each) for each in groups}


def _standing(found: Group) -> dict[str, Any]:
    """Amounts of type `cost` are US dollars, as elsewhere."""
    balance = found.balance
    in_dollars = balance.allowance.resource is Resource.COST
    used, held, left = (
        dollars(amount) if in_dollars else amount for amount in (balance.used, balance.held, balance.left)
    )
    return {
        "current_usage": used,
        "held": held,
        "remaining": left,
        "status": "exhausted" if found.exhausted else "active",
        "last_reset_at": None if found.last_reset_at is None else to_iso(found.last_reset_at),
        "next_usage_reset_at": None if balance.resets_at is None else to_iso(balance.resets_at),
    }
