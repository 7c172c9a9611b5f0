"""A smaller output limit for a call that does not fit: as much as every one of its allowances has room for."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from headgate.catalog.bound import Bound, Bounds
from headgate.dataplane.admit import amounts_of
from headgate.dataplane.call import Call
from headgate.ledger.allowance import Allowance

LeftOf = Callable[[Sequence[Allowance]], list[int]]


def clamped(call: Call, bounds: Bounds, left_of: LeftOf) -> Bound | None:
    """The bound with the largest output limit that fits what is left of the call's allowances: `needs_output_limit` is
    that limit.

    None: the caller's rules do not allow it, or not even the smallest output fits. Nothing is taken; where there is
    room for what is left, a hold at this bound in the same breath succeeds.
    """
    assert call.policy is not None
    least = call.policy.admission.clamp_min_output
    if least is None or not bounds.limit:
        return None
    rooms = list(zip(call.allowances, left_of(call.allowances), strict=True))

    def fits(limit: int) -> bool:
        amounts = amounts_of(bounds.within(limit * bounds.answers))
        return all(not (asked := amounts.of(allowance.resource)) or asked <= left for allowance, left in rooms)

    # A model that thinks needs more than its thinking; below that the provider refuses the call.
    low, high = max(least, bounds.thinking + 1), bounds.limit
    if low >= high or not fits(low):
        return None
    while high - low > 1:  # low fits, and high does not or was asked for in vain
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return replace(bounds.within(low * bounds.answers), needs_output_limit=low)
