"""A tenant's three short fields: another spelling of limits, which are kept as the limits they are.

`monthly_budget_usd` is a budget of type `cost` that resets monthly, `max_tokens_per_day` one of type `tokens` that
resets daily, `max_requests_per_minute` a rate of `requests` per minute.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from headgate.base.errors import InvalidRequest
from headgate.base.money import NANOS_PER_USD
from headgate.ledger.allowance import Resource
from headgate.tenancy import limit_rules
from headgate.tenancy.limits import RateLimit, UsageLimit
from headgate.tenancy.pricing import plain
from headgate.tenancy.tenant import Tenant

MONTHLY_BUDGET: Final = "monthly_budget_usd"
_BUDGETS: Final = {
    MONTHLY_BUDGET: UsageLimit(Resource.COST, 0, reset="month"),
    "max_tokens_per_day": UsageLimit(Resource.TOKENS, 0, reset="day"),
}
_REQUESTS: Final = "max_requests_per_minute"
NAMES: Final = (_REQUESTS, *reversed(_BUDGETS))


def with_short_budgets(limits: Sequence[UsageLimit], fields: Mapping[str, Any]) -> tuple[UsageLimit, ...]:
    """The budgets with those that short fields set; null takes one away. `limits` is what holds without them.

    Raises `InvalidRequest` where `usage_limits` came too and says something else.
    """
    found = {(limit.resource, limit.period): limit for limit in limits}
    for name, blank in _BUDGETS.items():
        if name not in fields:
            continue
        counter = (blank.resource, blank.period)
        cap = _cap(fields[name], name, NANOS_PER_USD if blank.resource is Resource.COST else 1)
        before = found.get(counter)
        if "usage_limits" in fields and before is not None:
            _require_same(name, "usage_limits", cap, before.cap)
        elif cap is None:
            found.pop(counter, None)
        else:
            found[counter] = _changed(before or blank, cap, name)
    return tuple(found.values())


def with_short_rate(limits: Sequence[RateLimit], fields: Mapping[str, Any]) -> tuple[RateLimit, ...]:
    """The same of rates."""
    if _REQUESTS not in fields:
        return tuple(limits)
    found = {(limit.resource, limit.unit): limit for limit in limits}
    counter = (Resource.REQUESTS, "rpm")
    cap = _cap(fields[_REQUESTS], _REQUESTS, 1)
    before = found.get(counter)
    if "rate_limits" in fields and before is not None:
        _require_same(_REQUESTS, "rate_limits", cap, before.value)
    elif cap is None:
        found.pop(counter, None)
    else:
        found[counter] = RateLimit(*counter, cap)
    return tuple(found.values())


def shown(usage_limits: Sequence[UsageLimit], rate_limits: Sequence[RateLimit]) -> dict[str, Decimal | int | None]:
    """The short fields as they stand, in US dollars, tokens and requests; None where there is no such limit."""
    rate = next((each.value for each in rate_limits if (each.resource, each.unit) == (Resource.REQUESTS, "rpm")), None)
    found: dict[str, Decimal | int | None] = {_REQUESTS: rate}
    for name, blank in reversed(_BUDGETS.items()):
        limit = of(usage_limits, name)
        cost = limit is not None and blank.resource is Resource.COST
        found[name] = None if limit is None else plain(Decimal(limit.cap) / NANOS_PER_USD) if cost else limit.cap
    return found


def of(usage_limits: Sequence[UsageLimit], name: str) -> UsageLimit | None:
    """The budget that a short field stands for."""
    blank = _BUDGETS[name]
    same = (each for each in usage_limits if (each.resource, each.period) == (blank.resource, blank.period))
    return next(same, None)


def with_a_month(tenant: Tenant) -> Tenant:
    """With a monthly budget in any case, so that what was spent this month can be asked for: one of nothing, as the
    last of its limits, where it has none."""
    if of(tenant.usage_limits, MONTHLY_BUDGET) is not None:
        return tenant
    return replace(tenant, usage_limits=(*tenant.usage_limits, _BUDGETS[MONTHLY_BUDGET]))


def _cap(value: object, param: str, scale: int) -> int | None:
    return None if value is None else limit_rules.amount(value, scale, param)


def _require_same(name: str, listed: str, cap: int | None, other: int) -> None:
    if cap is not None and cap != other:
        raise InvalidRequest(
            f"`{name}` and `{listed}` name two values for the same limit. Send one of them.", param=name
        )


def _changed(limit: UsageLimit, cap: int, name: str) -> UsageLimit:
    if limit.alert_threshold is not None and limit.alert_threshold > cap:
        raise InvalidRequest(
            f"`{name}` is below the `alert_threshold` of this budget. Send the budget in `usage_limits`, with another "
            "threshold or none.",
            param=name,
        )
    return replace(limit, cap=cap)
