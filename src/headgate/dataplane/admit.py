"""Steps 4 and 5: the most a call can cost, and the hold for it on every allowance at once."""

from headgate.base.errors import Exhausted, HeadgateError, ModelNotAllowed, RateLimited
from headgate.base.money import usd
from headgate.catalog.bound import Bound, bound_of
from headgate.dataplane.books import Books
from headgate.dataplane.call import Call
from headgate.dataplane.settle import Settler
from headgate.ledger.allowance import Allowance, Amounts, Resource, WindowKind
from headgate.ledger.hold import Denied


def bound_call(call: Call, default_max_output: int) -> Bound:
    """Step 4. Raises `ModelNotAllowed` where a budget applies to what cannot be bounded."""
    assert call.plan is not None
    assert call.document is not None
    assert call.head is not None
    target = call.plan.first
    bound = bound_of(
        call.endpoint.format,
        call.document,
        call.head,
        spec=target.spec,
        model=target.model,
        facts=target.facts,
        price=target.price,
        default_max_output=default_max_output,
    )
    for allowance in allowances_of(call):
        if allowance.resource is Resource.COST and bound.unbounded:
            raise _not_bounded(target.model, "cost", bound.unbounded)
        if allowance.resource in TOKENS and bound.tokens_unbounded:
            raise _not_bounded(target.model, "use", bound.tokens_unbounded)
    return bound


TOKENS = (Resource.TOKENS, Resource.INPUT_TOKENS, Resource.OUTPUT_TOKENS)


def _not_bounded(model: str, what: str, why: str) -> ModelNotAllowed:
    return ModelNotAllowed(
        f"What this call to `{model}` can {what} has no known bound ({why}), and a limit on it applies. "
        "Leave that out, or ask an administrator to price it.",
        param="model",
        code=f"{what}_not_bounded",
    )


def allowances_of(call: Call) -> tuple[Allowance, ...]:
    """Everything that applies: organization, workspace, tenant, key, and the integration the call goes to."""
    assert call.policy is not None
    assert call.plan is not None
    return call.policy.allowances + call.plan.first.provider.allowances


def hold(call: Call, books: Books, settler: Settler) -> None:
    """Step 5: all or nothing, and on disk. Raises `Exhausted` (412), `RateLimited` (429) or `JournalUnavailable` (503);
    then nothing was taken."""
    assert call.bound is not None
    amounts = Amounts(
        requests=1,
        input_tokens=call.bound.input_tokens,
        output_tokens=call.bound.output_tokens,
        cost=call.bound.cost_nanos,
    )
    result = books.hold(call.request_id, allowances_of(call), amounts)
    if isinstance(result, Denied):
        raise refusal(result)
    books.dispatch(call.request_id, settler.unheard(call))
    call.held = True


def refusal(denied: Denied) -> HeadgateError:
    """The denial in words: the allowance, what was asked, what is left, when to try again."""
    allowance = denied.allowance
    asked, left, cap = (_amount(allowance.resource, value) for value in (denied.asked, denied.left, allowance.cap))
    whose = f"{allowance.scope.kind.replace('_', ' ')} `{allowance.scope.name or allowance.scope.id}`"
    details = {
        "allowance": {
            "scope": allowance.scope.kind,
            "name": allowance.scope.name or allowance.scope.id,
            "resource": allowance.resource.value,
            "window": _window(allowance),
            "cap": cap,
        },
        "asked": asked,
        "left": left,
        "resets_at": denied.resets_at,
    }
    sentence = (
        f"The {_window(allowance)} {allowance.resource.value} limit of {cap} for the {whose} does not allow this call: "
        f"it may use up to {asked}, and {left} is left."
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


def _window(allowance: Allowance) -> str:
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
