"""Reads the contract's `usage_limits` and `rate_limits` and refuses, by name, what they cannot be.

Fields that are not known are ignored: a client may send back the object it was given, with `current_usage` and all.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeVar

from headgate.base.clock import NANOS_PER_SECOND
from headgate.base.errors import InvalidRequest
from headgate.base.money import NANOS_PER_USD
from headgate.ledger.allowance import Resource
from headgate.tenancy import moments
from headgate.tenancy.limits import RATE_UNITS, RateLimit, UsageLimit

T = TypeVar("T")

USAGE_TYPES: Final = {"cost": Resource.COST, "tokens": Resource.TOKENS, "requests": Resource.REQUESTS}
RATE_TYPES: Final = {
    "requests": Resource.REQUESTS,
    "tokens": Resource.TOKENS,
    "input_tokens": Resource.INPUT_TOKENS,
    "output_tokens": Resource.OUTPUT_TOKENS,
    "in_flight": Resource.IN_FLIGHT,
}
_RESETS: Final = {"daily": "day", "weekly": "week", "monthly": "month"}
MOST_PERCENTS: Final = 20
_DAY: Final = 86_400 * NANOS_PER_SECOND
LARGEST: Final = 10**18
"""The largest cap, in nano-dollars (a billion dollars), tokens or requests: sums of caps stay within 64 bits."""


def usage_limits(
    value: object, *, now: int, previous: Sequence[UsageLimit] = (), param: str = "usage_limits"
) -> tuple[UsageLimit, ...]:
    """From one object, a list of them, or None (none). Amounts of type `cost` are US dollars.

    A limit that keeps its `periodic_reset_days` keeps the day it counts from, which is otherwise today.
    """
    found = [_usage_limit(each, where, now, previous) for where, each in _objects(value, param)]
    _refuse_doubles([(limit.resource, limit.period) for limit in found], param)
    return tuple(found)


def rate_limits(value: object, *, param: str = "rate_limits") -> tuple[RateLimit, ...]:
    """From one object, a list of them, or None (none)."""
    found = [_rate_limit(each, where) for where, each in _objects(value, param)]
    _refuse_doubles([(limit.resource, limit.unit) for limit in found], param)
    return tuple(found)


def _objects(value: object, param: str) -> list[tuple[str, Mapping[str, Any]]]:
    if value is None:
        return []
    listed = [(param, value)] if isinstance(value, Mapping) else value
    if not isinstance(listed, list):
        raise InvalidRequest(f"`{param}` must be an object or a list of objects.", param=param)
    if isinstance(value, list):
        listed = [(f"{param}[{index}]", each) for index, each in enumerate(value)]
    for where, each in listed:
        if not isinstance(each, Mapping):
            raise InvalidRequest(f"`{where}` must be an object.", param=where)
    return listed


def usage_limit(value: Mapping[str, Any], now: int, previous: Sequence[UsageLimit] = ()) -> UsageLimit:
    """One whose fields stand by themselves, as those of a policy do."""
    return _usage_limit(value, "", now, previous)


def rate_limit(value: Mapping[str, Any]) -> RateLimit:
    """One whose fields stand by themselves, as those of a policy do."""
    return _rate_limit(value, "")


def unscaled(amount: int | None, scale: int) -> Decimal | None:
    """A stored amount as it was written: exact."""
    return None if amount is None else Decimal(amount) / scale


def _usage_limit(value: Mapping[str, Any], where: str, now: int, previous: Sequence[UsageLimit]) -> UsageLimit:
    at = f"{where}." if where else ""
    resource = choice(value.get("type") or "cost", USAGE_TYPES, f"{at}type")
    scale = NANOS_PER_USD if resource is Resource.COST else 1
    if value.get("credit_limit") is None:
        raise InvalidRequest(f"`{at}credit_limit` is missing.", param=f"{at}credit_limit")
    cap = amount(value["credit_limit"], scale, f"{at}credit_limit")
    threshold = None
    if value.get("alert_threshold") is not None:
        threshold = amount(value["alert_threshold"], scale, f"{at}alert_threshold")
        if threshold > cap:
            raise InvalidRequest(
                f"`{at}alert_threshold` is an amount, as `credit_limit` is, and cannot be above it.",
                param=f"{at}alert_threshold",
            )
    reset, days = value.get("periodic_reset"), value.get("periodic_reset_days")
    if reset is not None and days is not None:
        raise InvalidRequest(
            f"Send `{at}periodic_reset` or `{at}periodic_reset_days`, not both.",
            param=f"{at}periodic_reset_days",
        )
    shares = percents(value.get("alert_thresholds"), f"{at}alert_thresholds")
    if days is not None:
        days = whole(days, f"{at}periodic_reset_days", low=1, high=365)
        anchor = _anchor(resource, days, value.get("next_usage_reset_at"), now, previous, f"{at}next_usage_reset_at")
        return UsageLimit(resource, cap, threshold, None, days, anchor, alert_percents=shares)
    unit = None if reset is None else choice(reset, _RESETS, f"{at}periodic_reset")
    return UsageLimit(resource, cap, threshold, unit, alert_percents=shares)


def _anchor(resource: Resource, days: int, first: object, now: int, previous: Sequence[UsageLimit], param: str) -> int:
    """From when periods of so many days are counted: as before; or from the day of the `first` reset, where there was
    no such limit on the resource; or from today. Whoever sends back what was shown, with other days, means no other
    day."""
    counted = {old.reset_days: old.anchor for old in previous if old.resource is resource and old.reset_days}
    if counted or first is None:
        return counted.get(days, now)
    moment = moments.from_iso(first, param)
    if not now < moment <= now + (days + 1) * _DAY:
        raise InvalidRequest(f"`{param}` must lie within the next {days} days.", param=param)
    return moment


def percents(value: object, param: str) -> tuple[int, ...] | None:
    """Shares of a cap, in whole percents. None: inherited; an empty list: none at all."""
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > MOST_PERCENTS:
        raise InvalidRequest(f"`{param}` must be a list of at most {MOST_PERCENTS} numbers.", param=param)
    return tuple(sorted({whole(each, f"{param}[{index}]", low=1, high=100) for index, each in enumerate(value)}))


def _rate_limit(value: Mapping[str, Any], where: str) -> RateLimit:
    at = f"{where}." if where else ""
    resource = choice(value.get("type"), RATE_TYPES, f"{at}type")
    unit = value.get("unit")
    if resource is Resource.IN_FLIGHT:
        if unit is not None:
            raise InvalidRequest(f"`{at}unit` does not go with type `in_flight`: leave it out.", param=f"{at}unit")
    else:
        choice(unit, RATE_UNITS, f"{at}unit")
    return RateLimit(resource, unit, whole(value.get("value"), f"{at}value", low=0, high=LARGEST))


def choice(value: object, choices: Mapping[str, T], param: str) -> T:
    """What a word stands for. Raises `InvalidRequest` naming the field and the words there are."""
    if not isinstance(value, str) or value not in choices:
        raise InvalidRequest(f"`{param}` must be one of {', '.join(choices)}.", param=param)
    return choices[value]


def number(value: object, param: str) -> Decimal:
    """A finite number, exactly as it was written. Raises `InvalidRequest` naming the field."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise InvalidRequest(f"`{param}` must be a number.", param=param)
    try:
        found = Decimal(str(value))  # by its shortest text: 0.1 is a tenth, not the nearest binary fraction
    except InvalidOperation:
        raise InvalidRequest(f"`{param}` must be a number.", param=param) from None
    if not found.is_finite():
        raise InvalidRequest(f"`{param}` must be a finite number.", param=param)
    return found


def amount(value: object, scale: int, param: str) -> int:
    """A limit, in the resource's unit: `scale` of them are one as it is written."""
    found = number(value, param)
    if not 0 <= found <= LARGEST // scale:
        raise InvalidRequest(f"`{param}` must be between 0 and {LARGEST // scale:,}.", param=param)
    scaled = found * scale
    if scaled != scaled.to_integral_value():
        unit = "whole nano-dollars (at most nine decimals)" if scale > 1 else "a whole number"
        raise InvalidRequest(f"`{param}` must be {unit}.", param=param)
    return int(scaled)


def whole(value: object, param: str, *, low: int, high: int) -> int:
    """A whole number within these bounds. Raises `InvalidRequest` naming the field."""
    found = number(value, param)
    if found != found.to_integral_value() or not low <= found <= high:
        raise InvalidRequest(f"`{param}` must be a whole number between {low} and {high:,}.", param=param)
    return int(found)


def _refuse_doubles(counters: Sequence[object], param: str) -> None:
    if len(set(counters)) < len(counters):
        raise InvalidRequest(
            f"`{param}` limits the same resource over the same period twice. Keep the smaller one.", param=param
        )
