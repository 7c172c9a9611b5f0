"""Two spellings of the same are the same: each field is read as the server reads it, in the file and in its answers.

So `100` and `100.0`, one limit and a list of one, a number among metadata and its text are no differences; and what
the server would refuse is refused before anything changes.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from headgate.alerts.target import checked_url
from headgate.tenancy import limit_policy_rules, limit_rules, moments, pricing, rules, tenant_rules
from headgate.tenancy.admission_rules import admission_rules
from headgate.tenancy.capacity import Capacity
from headgate.tenancy.capacity_rules import capacity
from headgate.tenancy.guardrail_rules import guardrail_actions, guardrail_checks
from headgate.tenancy.headers import KNOWN, extra_headers
from headgate.tenancy.limits import UsageLimit
from headgate.tenancy.routing_table_rules import routing_document
from headgate.upstream.base_url import kept_base_url
from headgate.upstream.guard import Guard

Read = Callable[[Any], Any]
ANYWHERE: Final = Guard(allow_private=True)
"""Which addresses are allowed is the server's to say."""


def canonical(name: str, value: Any) -> Any:
    """What the value means. Raises `InvalidRequest` naming what it cannot be."""
    if value is None or value in ("", [], {}):
        return None
    reader = READERS.get(name)
    return value if reader is None else reader(value)


def canonical_url(url: str) -> str:
    """As the server keeps it."""
    return checked_url(url, guard=ANYWHERE, plain=True)


def canonical_configurations(value: Mapping[str, Any]) -> tuple[str | None, tuple[str, ...], Capacity | None]:
    """Where an integration or a model lives, the names of the headers (their values are never shown), and how much of
    it there is."""
    host = value.get("custom_host")
    headers = extra_headers(value, "configurations", KNOWN) or []
    names = tuple(sorted(name for name, _ in headers))
    return _kept(host) if host else None, names, capacity(value.get("capacity"), "configurations.capacity")


def _kept(host: object) -> str:
    return kept_base_url(rules.name(host, "configurations.custom_host"), "configurations.custom_host", ANYWHERE)


def lasting_limits(value: Any) -> tuple[UsageLimit, ...]:
    """Without the day of their first reset: that is settled when they are set, and shown as how far the period is."""
    listed = [value] if isinstance(value, Mapping) else value
    if isinstance(listed, list):
        listed = [{**each, "next_usage_reset_at": None} if isinstance(each, Mapping) else each for each in listed]
    return limit_rules.usage_limits(listed, now=0)


def _usage_limits(value: Any) -> Any:
    return frozenset(lasting_limits(value))


def _rate_limits(value: Any) -> Any:
    return frozenset(limit_rules.rate_limits(value))


def _set(value: Any) -> Any:
    return frozenset(rules.texts(value, "list", most=10_000))


def _moment(value: Any) -> int:
    return moments.from_iso(value, "moment") // 1_000_000  # shown to the millisecond


def _rotation(value: Any) -> Any:
    moment = value.get("next_rotation_at")
    return {**value, "next_rotation_at": _moment(moment)} if moment else dict(value)


READERS: Final[Mapping[str, Read]] = {
    "usage_limits": _usage_limits,
    "rate_limits": _rate_limits,
    "metadata": rules.metadata,
    "admission": admission_rules,
    "routing_table": routing_document,
    "downgrade": tenant_rules.downgrade,
    "checks": guardrail_checks,
    "actions": guardrail_actions,
    "conditions": limit_policy_rules.conditions,
    "group_by": limit_policy_rules.group_by,
    "pricing_adjustments": lambda value: pricing.multipliers(value, "pricing_adjustments"),
    "pricing_config": lambda value: pricing.rates(value, "pricing_config"),
    "configurations": canonical_configurations,
    "rotation_policy": _rotation,
    "expires_at": _moment,
    "scopes": _set,
    "allowed_models": _set,
    "types": _set,
    "url": canonical_url,
    "email": lambda value: rules.address(value, "email").lower(),
}
"""By the field's name, which means the same wherever it stands."""
LEGIBLE: Final = frozenset(("metadata", "routing_table", "checks", "actions"))
"""Of which what is meant is as good to read as what is written, and says what was left out."""
