"""A denial in words: the allowance, what was asked, what is left, when to try again."""

from typing import Any

from headgate.base.errors import Exhausted, HeadgateError, RateLimited
from headgate.base.money import usd
from headgate.ledger.allowance import Allowance, Resource, WindowKind
from headgate.ledger.hold import Denied
from headgate.tenancy.moments import to_iso


def refusal(denied: Denied) -> HeadgateError:
    """Spent: `Exhausted` (412). A rate, or held by other calls: `RateLimited` (429).

    Of the organization's own limits the caller learns that they stand in the way, and no figure: what all customers
    together may spend is not for one of them.
    """
    allowance = denied.allowance
    sentence, details = _told(denied) if allowance.scope.open_to_callers else _hidden(allowance)
    if denied.resets_at is not None:
        details["resets_at"] = to_iso(denied.resets_at)
    if allowance.window.kind is WindowKind.SLIDING or allowance.resource is Resource.IN_FLIGHT:
        return RateLimited(sentence, details=details, retry_after=denied.retry_after)
    if denied.exhausted:
        return Exhausted(sentence, details=details, retry_after=denied.retry_after)
    return RateLimited(
        f"{sentence} Other calls under way hold the rest; it may fit in a moment.",
        type="gateway_held_error",
        code="held",
        details=details,
        retry_after=denied.retry_after,
    )


def _told(denied: Denied) -> tuple[str, dict[str, Any]]:
    allowance = denied.allowance
    asked, left, cap = (_amount(allowance.resource, value) for value in (denied.asked, denied.left, allowance.cap))
    name = allowance.scope.name or allowance.scope.id
    sentence = (
        f"The {window_name(allowance)} {allowance.resource.value} limit of {cap} for the "
        f"{allowance.scope.kind.replace('_', ' ')} `{name}` does not allow this call: "
        f"it may use up to {asked}, and {left} is left."
    )
    return sentence, {"allowance": {**_named(allowance), "name": name, "cap": cap}, "asked": asked, "left": left}


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
