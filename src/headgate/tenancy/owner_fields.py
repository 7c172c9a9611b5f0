"""Fields that are read alike of everything that owns limits."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from headgate.tenancy import limit_rules
from headgate.tenancy.admission_rules import admission_rules
from headgate.tenancy.limits import RateLimit, UsageLimit
from headgate.tenancy.owner import LimitOwner
from headgate.tenancy.routing_table_rules import routing_document

Limit = TypeVar("Limit", UsageLimit, RateLimit)


def limit_changes(owner: LimitOwner, fields: Mapping[str, Any], now: int) -> dict[str, Any]:
    """What `usage_limits`, `rate_limits` and `reset_usage` change of it. Raises `InvalidRequest` naming the field."""
    changes: dict[str, Any] = {}
    if (budgets := usage_limits(fields, owner.usage_limits, now)) is not None:
        changes["usage_limits"] = budgets
    if (rates := rate_limits(fields, owner.rate_limits)) is not None:
        changes["rate_limits"] = rates
    if fields.get("reset_usage"):
        changes["usage_reset_at"] = now
    return changes


def usage_limits(
    fields: Mapping[str, Any], kept: Sequence[UsageLimit], now: int, at: str = ""
) -> tuple[UsageLimit, ...] | None:
    """What they are to be from now on; None: as they are. `at` is where the fields are, with a dot at its end."""

    def read(value: Any, param: str) -> tuple[UsageLimit, ...]:
        return limit_rules.usage_limits(value, now=now, previous=kept, param=f"{at}{param}")

    return _meant(fields, "usage_limits", kept, read)


def rate_limits(fields: Mapping[str, Any], kept: Sequence[RateLimit], at: str = "") -> tuple[RateLimit, ...] | None:
    """The same for rates."""
    return _meant(
        fields, "rate_limits", kept, lambda value, param: limit_rules.rate_limits(value, param=f"{at}{param}")
    )


def _meant(
    fields: Mapping[str, Any], name: str, kept: Sequence[Limit], read: Callable[[Any, str], tuple[Limit, ...]]
) -> tuple[Limit, ...] | None:
    """Where an SDK takes one object only, an answer shows the first limit by itself and all of them in `…_list`. Who
    sends back both means all; the first as the object has it, if that is what was changed, and none if that is null."""
    every: str = f"{name}_list"
    sent = fields.get(name)
    if fields.get(every) is None:
        return read(sent, name) if name in fields else None
    listed = read(fields[every], every)
    if name not in fields:
        return listed
    first = read(sent, name)
    if first == tuple(kept[:1]):
        return listed
    return read([sent, *fields[every][1:]], every) if isinstance(sent, Mapping) else first


def call_changes(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What `admission` and `routing_table` change. Raises `InvalidRequest` naming the field."""
    changes: dict[str, Any] = {}
    if "admission" in fields:
        changes["admission"] = admission_rules(fields["admission"])
    if "routing_table" in fields:
        changes["routing"] = routing_document(fields["routing_table"])
    return changes
