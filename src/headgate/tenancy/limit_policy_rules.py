"""Reads what an administrator writes of a limit policy, and refuses by name what it cannot be."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from headgate.base.errors import InvalidRequest
from headgate.base.money import NANOS_PER_USD
from headgate.ledger.allowance import Resource
from headgate.tenancy import limit_rules, rules
from headgate.tenancy.limit_policy import ANY, ENDPOINT_TYPES, KEYS, METADATA, Condition, endpoint_type, matches
from headgate.tenancy.limits import RateLimit, UsageLimit

MOST_CONDITIONS: Final = 20
MOST_VALUES: Final = 100
MOST_GROUPED: Final = 5
# No quotes and no backslash: the key is part of a path within the record's metadata.
_METADATA_KEY: Final = re.compile(r"[A-Za-z0-9_.:/@ -]{1,64}")
_RESETS: Final = {"day": "daily", "week": "weekly", "month": "monthly"}
USAGE_FIELDS: Final = (
    "type",
    "credit_limit",
    "alert_threshold",
    "alert_thresholds",
    "periodic_reset",
    "periodic_reset_days",
    "next_usage_reset_at",
)
RATE_FIELDS: Final = ("type", "unit", "value")


def conditions(value: object) -> tuple[Condition, ...]:
    """All of them must be met; none at all are met by every call. One that names in `excludes` what it does not mean is
    two: the values that it means, and those that it excludes."""
    listed = _objects(value, "conditions", MOST_CONDITIONS)
    found: list[Condition] = []
    for index, each in enumerate(listed):
        where, excluded = f"conditions[{index}]", each.get("excludes")
        if not isinstance(excluded, str | list):
            found.append(_condition(each, where))
            continue
        if each.get("value") is not None:
            found.append(_condition({**each, "excludes": False}, where))
        found.append(_condition({**each, "value": excluded, "excludes": True}, where))
    return tuple(found)


def group_by(value: object) -> tuple[str, ...]:
    """None: one counter for all calls that meet the conditions."""
    listed = _objects(value, "group_by", MOST_GROUPED)
    found = tuple(_key(each.get("key"), f"group_by[{index}].key") for index, each in enumerate(listed))
    if len(set(found)) < len(found):
        raise InvalidRequest("`group_by` names the same key twice.", param="group_by")
    return found


def usage_limit(fields: Mapping[str, Any], before: UsageLimit | None, now: int) -> UsageLimit:
    """Of a policy that had `before`: what is not sent stays."""
    if before is None:
        written: dict[str, Any] = {}
    else:
        scale = NANOS_PER_USD if before.resource is Resource.COST else 1
        written = {
            "type": before.resource.value,
            "credit_limit": limit_rules.unscaled(before.cap, scale),
            "alert_threshold": limit_rules.unscaled(before.alert_threshold, scale),
            "periodic_reset": None if before.reset is None else _RESETS[before.reset],
            "periodic_reset_days": before.reset_days,
            "alert_thresholds": None if before.alert_percents is None else list(before.alert_percents),
        }
    if fields.get("periodic_reset") is not None:
        written["periodic_reset_days"] = None
    if fields.get("periodic_reset_days") is not None:
        written["periodic_reset"] = None
    written |= {name: fields[name] for name in USAGE_FIELDS if name in fields}
    return limit_rules.usage_limit(written, now, () if before is None else (before,))


def rate_limit(fields: Mapping[str, Any], before: RateLimit | None) -> RateLimit:
    """Of a policy that had `before`: what is not sent stays."""
    written = {} if before is None else {"type": before.resource.value, "unit": before.unit, "value": before.value}
    return limit_rules.rate_limit(written | {name: fields[name] for name in RATE_FIELDS if name in fields})


def _condition(value: Mapping[str, Any], where: str) -> Condition:
    given = value.get("value")
    listed: Sequence[object] = given if isinstance(given, list) else [given]
    if not 0 < len(listed) <= MOST_VALUES:
        raise InvalidRequest(f"`{where}.value` takes 1 to {MOST_VALUES} values.", param=f"{where}.value")
    excludes = value.get("excludes") or False
    if not isinstance(excludes, bool):
        raise InvalidRequest(
            f"`{where}.excludes` must be true or false, or the values that are excluded.", param=f"{where}.excludes"
        )
    key = _key(value.get("key"), f"{where}.key")
    found = tuple(rules.name(each, f"{where}.value") for each in listed)
    if key == "endpoint_type":
        found = tuple(_endpoint_type(each, f"{where}.value") for each in found)
    if excludes and ANY in found:
        raise InvalidRequest(f"`{where}` excludes every call.", param=f"{where}.value")
    for each in found:
        if ANY in each[:-1]:
            raise InvalidRequest(f"`{where}.value`: `*` can only be a value's last character.", param=f"{where}.value")
    return Condition(key, found, excludes)


def _endpoint_type(value: str, param: str) -> str:
    """As an OpenAI client's path or without its `/v1/`. What no call can be would limit nothing, unseen."""
    found = endpoint_type(value).removeprefix("/")
    if not any(matches(found, each) for each in ENDPOINT_TYPES):
        listed = ", ".join(f"`{each}`" for each in ENDPOINT_TYPES)
        raise InvalidRequest(f"`{param}`: `{value}` is no endpoint. There are {listed}.", param=param)
    return found


def _key(value: object, param: str) -> str:
    if isinstance(value, str):
        if value in KEYS:
            return value
        if value.startswith(METADATA) and _METADATA_KEY.fullmatch(value[len(METADATA) :]):
            return value
    raise InvalidRequest(f"`{param}` must be one of {', '.join(KEYS)} or `metadata.<key>`.", param=param)


def _objects(value: object, param: str, most: int) -> list[Mapping[str, Any]]:
    listed = [] if value is None else value
    if not isinstance(listed, list) or len(listed) > most or not all(isinstance(each, Mapping) for each in listed):
        raise InvalidRequest(f"`{param}` must be a list of at most {most} objects.", param=param)
    return listed
