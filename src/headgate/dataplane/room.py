"""What is tried for a call that does not fit, in the order of the rules: less output, a cheaper model, a short wait, a
refusal.

A refusal takes nothing.
"""

from collections.abc import Sequence
from functools import partial

from headgate.base.clock import NANOS_PER_MS, NANOS_PER_SECOND
from headgate.catalog.bound import Bounds
from headgate.dataplane import admit
from headgate.dataplane.books import Books
from headgate.dataplane.call import Call
from headgate.dataplane.choice import Choice
from headgate.dataplane.clamp import clamped
from headgate.dataplane.converse import converse
from headgate.dataplane.downgrade import SPENT, Downgrader
from headgate.dataplane.exchange import Exchange
from headgate.dataplane.refusal import refusal
from headgate.dataplane.settle import Settler
from headgate.dataplane.waiting import Waiting
from headgate.ledger.hold import Denied
from headgate.wire.dialogue import Dialogue

MS_PER_S = NANOS_PER_SECOND // NANOS_PER_MS


class Room:
    """Makes room for calls; one per pipeline."""

    def __init__(self, books: Books, settler: Settler, waiting: Waiting, downgrader: Downgrader) -> None:
        self._books = books
        self._settler = settler
        self._waiting = waiting
        self._downgrader = downgrader

    async def make(self, exchange: Exchange, call: Call, denied: Denied, bounds: Bounds) -> Dialogue:
        """Once it returns the call holds, and this is its dialogue, which may have a smaller output limit.

        Raises `Exhausted`, `RateLimited`, `ClientGone`, and what a hold raises.
        """
        if not self._clamp(call, bounds):
            still: Denied | None = denied
            asked, choices = Choice.of(call, bounds), list[Choice]()
            if denied.allowance.resource in SPENT:
                choices = await self._downgrader.choices(call, bounds)
            if choices:
                still = self._fit(call, asked, choices)
            wait_ms = call.policy.admission.hold_wait_ms
            if still is not None and wait_ms and still.by_calls:
                fit = partial(self._fit, call, asked, choices)
                still = await self._waiting.wait(exchange, still, wait_ms / MS_PER_S, fit)
            if still is not None:
                raise refusal(still)
            if call.plan is not asked.plan:
                self._downgrader.tell(call, denied.allowance)
        return converse(call, call.target, call.bound)

    def _fit(self, call: Call, asked: Choice, choices: Sequence[Choice]) -> Denied | None:
        """Hold in the first way that fits; else the call is as it was, and what the last one lacked."""
        denied: Denied | None = None
        for choice in (asked, *choices):
            choice.take(call)
            denied = admit.hold(call, self._books, self._settler)
            if denied is None or self._clamp(call, choice.bounds):
                return None
        asked.take(call)
        return denied

    def _clamp(self, call: Call, bounds: Bounds) -> bool:
        """Whether it holds now, with less output."""
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
