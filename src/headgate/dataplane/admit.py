"""Steps 4 and 5: the most a call can cost, and the hold for it on every allowance at once."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from headgate.base.errors import ModelNotAllowed
from headgate.catalog.bound import Bound, Bounds, bounds_of
from headgate.catalog.price import Price
from headgate.catalog.units import UNIT_FORMATS, complete
from headgate.dataplane.books import Books
from headgate.dataplane.call import Call
from headgate.dataplane.settle import Settler
from headgate.ledger.allowance import Allowance, Amounts, Resource
from headgate.ledger.hold import Denied
from headgate.routing.plan import Plan
from headgate.tenancy.admission import Unpriced

TOKENS = (Resource.TOKENS, Resource.INPUT_TOKENS, Resource.OUTPUT_TOKENS)
COST_NOT_BOUNDED = "cost_not_bounded"
"""The flag of a call that was let through although a cost budget applies and its cost has no known bound."""


def bound_call(call: Call, default_max_output: int) -> Bounds:
    """Step 4. Raises `ModelNotAllowed` where a limit applies to what cannot be bounded, and no rule lets it pass."""
    unpriced = call.policy.admission.unpriced
    if isinstance(unpriced, Price) and call.target.price is None:
        call.plan = _priced(call.plan, complete(unpriced) if call.endpoint.format in UNIT_FORMATS else unpriced)
    call.allowances = call.plan.allowances_with(call.of_policies)
    bounds = bounds_for(call, default_max_output)
    call.bound = bound = bounds.whole()
    refuse_unbounded(call, bound)
    return bounds


def refuse_unbounded(call: Call, bound: Bound) -> None:
    """Raises `ModelNotAllowed` where a limit applies to what has no bound, and no rule lets it pass."""
    if bound.unbounded:
        for allowance in call.allowances:
            if allowance.resource is Resource.COST:
                if call.policy.admission.unpriced is not Unpriced.ALLOW:
                    raise _not_bounded(call.target.model, "cost", bound.unbounded)
                call.flags = (COST_NOT_BOUNDED,)
            if allowance.resource in TOKENS and bound.tokens_unbounded:
                raise _not_bounded(call.target.model, "use", bound.tokens_unbounded)


def bounds_for(call: Call, default_max_output: int) -> Bounds:
    """What the call can cost, by how much output it may have."""
    target = call.target
    return bounds_of(
        call.endpoint.format,
        call.document,
        call.head,
        spec=target.spec,
        model=target.model,
        facts=target.facts,
        price=target.price,
        default_max_output=default_max_output,
    )


def _priced(plan: Plan, fallback: Price) -> Plan:
    targets = (replace(target, price=fallback) if target.price is None else target for target in plan.targets)
    return replace(plan, targets=tuple(targets))


def _not_bounded(model: str, what: str, why: str) -> ModelNotAllowed:
    return ModelNotAllowed(
        f"What this call to `{model}` can {what} has no known bound ({why}), and a limit on it applies. "
        "Leave that out, or ask an administrator to price it.",
        param="model",
        code=f"{what}_not_bounded",
    )


def amounts_of(bound: Bound) -> Amounts:
    """What a call within this bound takes at most."""
    return Amounts(
        requests=1, input_tokens=bound.input_tokens, output_tokens=bound.output_tokens, cost=bound.cost_nanos
    )


def hold_request(call: Call, books: Books) -> Denied | None:
    """For a call that is given an answer from memory: the request, and nothing of tokens or money, which it passes
    while they are not spent. None: it holds."""
    result = books.hold(call.request_id, call.allowances, Amounts(requests=1))
    if isinstance(result, Denied):
        return result
    call.started_at, call.held = result.at, True
    return None


def hold(call: Call, books: Books, settler: Settler) -> Denied | None:
    """Step 5: all or nothing, and on disk. None: it holds.

    Raises `JournalUnavailable` (503); then nothing was taken.
    """
    allowances = claimed(call) if call.counted else call.allowances
    result = books.hold(call.request_id, allowances, amounts_of(call.bound))
    if isinstance(result, Denied):
        return result
    call.started_at = result.at
    call.unheard = settler.unheard(call)
    books.dispatch(call.request_id, call.unheard)
    call.held = True
    return None


def claimed(call: Call) -> Sequence[Allowance]:
    """What it counts in: after an attempt that was the request of its caller, those that count attempts."""
    allowances = call.allowances
    if not call.counted:
        return allowances
    return [each for each in allowances if each.resource is not Resource.REQUESTS or each.scope.counts_attempts]


async def hold_borrowed(call: Call, denied: Denied, books: Books, settler: Settler) -> Denied | None:
    """Hold, after that was denied, with what other processes can spare. None: it holds.

    Raises as `hold` does, and `Unavailable` where nobody can tell what they can spare.
    """
    return await _borrowed(call, denied, amounts_of(call.bound), books, lambda: hold(call, books, settler))


async def hold_request_borrowed(call: Call, books: Books) -> Denied | None:
    """`hold_request`, with what other processes can spare."""
    denied = hold_request(call, books)
    if denied is None:
        return None
    return await _borrowed(call, denied, Amounts(requests=1), books, lambda: hold_request(call, books))


async def _borrowed(
    call: Call, denied: Denied, amounts: Amounts, books: Books, again: Callable[[], Denied | None]
) -> Denied | None:
    found: Denied | None = denied
    while found is not None and books.lending is not None:
        enough = await books.lending.borrow(claimed(call), amounts)
        if enough is None:
            break
        found = again()
        if not enough:
            break
    return found
