"""Fields that are read alike of everything that owns limits."""

from collections.abc import Mapping
from typing import Any

from headgate.tenancy import limit_rules
from headgate.tenancy.admission_rules import admission_rules
from headgate.tenancy.owner import LimitOwner
from headgate.tenancy.routing_table_rules import routing_document


def limit_changes(owner: LimitOwner, fields: Mapping[str, Any], now: int) -> dict[str, Any]:
    """What `usage_limits`, `rate_limits` and `reset_usage` change of it. Raises `InvalidRequest` naming the field."""
    changes: dict[str, Any] = {}
    if "usage_limits" in fields:
        changes["usage_limits"] = limit_rules.usage_limits(fields["usage_limits"], now=now, previous=owner.usage_limits)
    if "rate_limits" in fields:
        changes["rate_limits"] = limit_rules.rate_limits(fields["rate_limits"])
    if fields.get("reset_usage"):
        changes["usage_reset_at"] = now
    return changes


def call_changes(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What `admission` and `routing_table` change. Raises `InvalidRequest` naming the field."""
    changes: dict[str, Any] = {}
    if "admission" in fields:
        changes["admission"] = admission_rules(fields["admission"])
    if "routing_table" in fields:
        changes["routing"] = routing_document(fields["routing_table"])
    return changes
