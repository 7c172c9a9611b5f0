"""A denial in words: the allowance, what was asked, what is left, when to try again."""

import math
from typing import Any

from headgate.base.errors import Exhausted, HeadgateError, RateLimited
from headgate.base.money import usd
from headgate.ledger.allowance import Allowance, Resource, WindowKind
from headgate.ledger.hold import Denied
from headgate.tenancy.moments import to_iso


def refusal(denied: Denied) -> HeadgateError:
    """Spent: `Exhausted` (412). A rate, or held by other calls: `RateLimited` (429). `details.reason` says which, in
    every format: `budget_exceeded`, `rate_limited` or `held`.

    Of the organization's own limits the caller learns that they stand in the way, and no figure: what all customers
    together may spend is not for one of them.
    """
    allowance = denied.allowance
    sentence, details = _told(denied) if allowance.scope.open_to_callers else _hidden(allowance)
    if denied.resets_at is not None:
        details["resets_at"] = to_iso(denied.resets_at)
    wait_s = denied.retry_after
    if wait_s is not None:
        details["retry_after"] = wait_s = math.ceil(wait_s * 10) / 10
    if allowance.window.kind is WindowKind.SLIDING or allowance.resource is Resource.IN_FLIGHT:
        details["reason"] = "rate_limited"
        if wait_s is not None:
            sentence = f"{sentence} Try again in {wait_s} seconds."
        return RateLimited(sentence, details=details, retry_after=wait_s)
    if denied.exhausted:
        details["reason"] = "budget_exceeded"
        return Exhausted(sentence, details=details, retry_after=wait_s)
    details["reason"] = "held"
    return RateLimited(
        f"{sentence} Other calls under way hold the rest; it may fit in a moment.",
        type="gateway_held_error",
        code="held",
        details=details,
        retry_after=wait_s,
    )


def _told(denied: Denied) -> tuple[str, dict[str, Any]]:
    allowance = denied.allowance
    figures = denied.asked, denied.left, denied.used, allowance.cap
    asked, left, used, cap = (_amount(allowance.resource, value) for value in figures)
    name = allowance.scope.name or allowance.scope.id
    sentence = (
        f"The {window_name(allowance)} {allowance.resource.value} limit of {cap} for the "
        f"{allowance.scope.kind.replace('_', ' ')} `{name}` does not allow this call: "
        f"it may use up to {asked}, and {left} is left."
    )
    named = {**_named(allowance), "name": name, "cap": cap}
    return sentence, {"allowance": named, "asked": asked, "used": used, "left": left}


def _hidden(allowance: Allowance) -> tuple[str, dict[str, Any]]:
    sentence = f"The organization's {window_name(allowance)} {allowance.resource.value} limit does not allow this call."
    return sentence, {"allowance": _named(allowance)}


def _named(allowance: Allowance) -> dict[str, Any]:
    return {
        "scope": allowance.scope.kind,
        "resource": allowance.resource.value,
        "window": window_name(allowance),
    }


def _amount(resource: Resource, value: int) -> str | int:
    return f"${usd(value)}" if resource is Resource.COST else value


def window_name(allowance: Allowance) -> str:
    """`monthly`, `60-second`, `lifetime` ..."""
    window = allowance.window
    match window.kind:
        case WindowKind.SLIDING:
            return f"{window.seconds}-second"
        case WindowKind.CALENDAR:
            return {"day": "daily", "week": "weekly", "month": "monthly"}.get(window.unit, window.unit)
        case WindowKind.EVERY_DAYS:
            return f"{window.days}-day"
        case WindowKind.LIFETIME:
            return "lifetime"
