"""A denial in words: the allowance, what was asked, what is left, when to try again."""

from headgate.base.errors import Exhausted, HeadgateError, RateLimited
from headgate.base.money import usd
from headgate.ledger.allowance import Allowance, Resource, WindowKind
from headgate.ledger.hold import Denied


def refusal(denied: Denied) -> HeadgateError:
    """Spent: `Exhausted` (412). A rate, or held by other calls: `RateLimited` (429)."""
    allowance = denied.allowance
    asked, left, cap = (_amount(allowance.resource, value) for value in (denied.asked, denied.left, allowance.cap))
    whose = f"{allowance.scope.kind.replace('_', ' ')} `{allowance.scope.name or allowance.scope.id}`"
    details = {
        "allowance": {
            "scope": allowance.scope.kind,
            "name": allowance.scope.name or allowance.scope.id,
            "resource": allowance.resource.value,
            "window": window_name(allowance),
            "cap": cap,
        },
        "asked": asked,
        "left": left,
        "resets_at": denied.resets_at,
    }
    sentence = (
        f"The {window_name(allowance)} {allowance.resource.value} limit of {cap} for the {whose} does not allow this "
        f"call: it may use up to {asked}, and {left} is left."
    )
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
