"""What is tried for a call that does not fit, in the order of the rules: what other processes can spare, less output, a
cheaper model, a short wait, a refusal.

A refusal takes nothing.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
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
from headgate.dataplane.lending import RECALLED_WITHIN_S, Way
from headgate.dataplane.refusal import refusal
from headgate.dataplane.settle import Settler
from headgate.dataplane.waiting import Waiting
from headgate.ledger.hold import Denied

MS_PER_S = NANOS_PER_SECOND // NANOS_PER_MS


class Room:
    """Makes room for calls; one per pipeline."""

    def __init__(self, books: Books, settler: Settler, waiting: Waiting, downgrader: Downgrader) -> None:
        self._books = books
        self._settler = settler
        self._waiting = waiting
        self._downgrader = downgrader

    async def make(self, exchange: Exchange, call: Call, denied: Denied, bounds: Bounds) -> None:
        """Once it returns the call holds, with its dialogue and what it sends, which may have a smaller output limit.

        Raises `Exhausted`, `RateLimited`, `ClientGone`, and what a hold raises.
        """
        still = await self.borrow(call, denied)
        if still is None:
            return
        if not await self._clamp_borrowed(call, bounds):
            await self._make(exchange, call, still, bounds)
        call.dialogue = converse(call, call.target, call.bound)
        call.outgoing = call.dialogue.request()

    async def borrow(self, call: Call, denied: Denied) -> Denied | None:
        """Hold with what other processes can spare, where this one's share was not enough. None: it holds."""
        return await admit.hold_borrowed(call, denied, self._books, self._settler)

    async def _make(self, exchange: Exchange, call: Call, denied: Denied, bounds: Bounds) -> None:
        still: Denied | None = denied
        asked, choices = Choice.of(call, bounds), list[Choice]()
        if denied.allowance.resource in SPENT:
            choices = await self._downgrader.choices(call, bounds)
        if choices:
            still = await self._fit_borrowed(call, asked, choices)
        if still is not None and (within_s := _patience(call, still)):
            fit = partial(self._fit, call, asked, choices)
            with self._wanting(call, asked, choices):
                still = await self._waiting.wait(exchange, still, within_s, fit)
        if still is not None:
            raise refusal(still)
        if call.plan is not asked.plan:
            self._downgrader.tell(call, denied.allowance)

    def _wanting(self, call: Call, asked: Choice, choices: Sequence[Choice]) -> AbstractContextManager[None]:
        """While it waits, other processes are asked for every way in which it could go."""
        lending, ways = self._books.lending, list[Way]()
        if lending is None:
            return nullcontext()
        for choice in (asked, *choices):
            choice.take(call)
            ways.append((admit.claimed(call), admit.amounts_of(call.bound)))
        asked.take(call)
        return lending.wanting(ways, self._settler.freed)

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

    async def _fit_borrowed(self, call: Call, asked: Choice, choices: Sequence[Choice]) -> Denied | None:
        """The same with what other processes can spare."""
        denied: Denied | None = None
        for choice in (asked, *choices):
            choice.take(call)
            denied = admit.hold(call, self._books, self._settler)
            if denied is None or (denied := await self.borrow(call, denied)) is None:
                return None
            if await self._clamp_borrowed(call, choice.bounds):
                return None
        asked.take(call)
        return denied

    def _clamp(self, call: Call, bounds: Bounds) -> bool:
        """Whether it holds now, with less output."""
        smaller = clamped(call, bounds, self._books.rooms)
        if smaller is None:
            return False
        before, ration = call.bound, call.ration
        call.bound, call.ration = smaller, None
        if admit.hold(call, self._books, self._settler) is not None:
            call.bound, call.ration = before, ration
            return False
        call.max_tokens = smaller.needs_output_limit
        return True

    async def _clamp_borrowed(self, call: Call, bounds: Bounds) -> bool:
        """The same with what other processes can spare: as much as is left of all."""
        lending = self._books.lending
        if lending is not None:
            smaller = clamped(call, bounds, self._books.lefts)
            if smaller is None or await lending.borrow(admit.claimed(call), admit.amounts_of(smaller)) is False:
                return False
        return self._clamp(call, bounds)


def _patience(call: Call, denied: Denied) -> float:
    """Seconds to wait for room. What others have borrowed and do not use comes back soon, whatever the rules say."""
    if not denied.by_calls:
        return 0.0
    lent_elsewhere = 0 < denied.asked <= denied.left
    return max(call.policy.admission.hold_wait_ms / MS_PER_S, RECALLED_WITHIN_S if lent_elsewhere else 0.0)
