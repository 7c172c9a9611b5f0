"""What is tried for a call that does not fit, in the order of the rules: less output, a short wait, a refusal.

A refusal takes nothing. (Of a plan's cheaper targets one would be tried between the first and the second.)
"""

from headgate.base.clock import NANOS_PER_MS, NANOS_PER_SECOND
from headgate.dataplane import admit
from headgate.dataplane.books import Books
from headgate.dataplane.call import Call
from headgate.dataplane.clamp import clamped
from headgate.dataplane.converse import converse
from headgate.dataplane.exchange import Exchange
from headgate.dataplane.limits import Limits
from headgate.dataplane.refusal import refusal
from headgate.dataplane.settle import Settler
from headgate.dataplane.waiting import Waiting
from headgate.ledger.hold import Denied
from headgate.wire.dialogue import Dialogue

MS_PER_S = NANOS_PER_SECOND // NANOS_PER_MS


class Room:
    """Makes room for calls; one per pipeline."""

    def __init__(self, books: Books, settler: Settler, waiting: Waiting, limits: Limits) -> None:
        self._books = books
        self._settler = settler
        self._waiting = waiting
        self._limits = limits

    async def make(self, exchange: Exchange, call: Call, denied: Denied) -> Dialogue:
        """Once it returns the call holds, and this is its dialogue, which may have a smaller output limit.

        Raises `Exhausted`, `RateLimited`, `ClientGone`, and what a hold raises.
        """
        if not self._clamp(call):
            still: Denied | None = denied
            wait_ms = call.policy.admission.hold_wait_ms
            if wait_ms and denied.by_calls:
                still = await self._waiting.wait(exchange, denied, wait_ms / MS_PER_S, lambda: self._fit(call))
            if still is not None:
                raise refusal(still)
        return converse(call, call.target, call.bound)

    def _fit(self, call: Call) -> Denied | None:
        denied = admit.hold(call, self._books, self._settler)
        return None if denied is None or self._clamp(call) else denied

    def _clamp(self, call: Call) -> bool:
        """Whether it holds now, with less output."""
        bounds = admit.bounds_for(call, self._limits.default_max_output)
        smaller = clamped(call, bounds, self._books)
        if smaller is None:
            return False
        before, ration = call.bound, call.ration
        call.bound, call.ration = smaller, None
        if admit.hold(call, self._books, self._settler) is not None:
            call.bound, call.ration = before, ration
            return False
        call.max_tokens = smaller.needs_output_limit
        return True
