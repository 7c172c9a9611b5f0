"""Steps 8 and 9: what a call cost, settled exactly once, and its usage record."""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from headgate.base.clock import Clock
from headgate.base.usage import Usage
from headgate.catalog.bound import estimate_without_usage
from headgate.catalog.price import Cost, cost_of
from headgate.dataplane.books import Books
from headgate.dataplane.call import Call
from headgate.dataplane.waiting import Waiting
from headgate.ledger.allowance import Allowance, Amounts
from headgate.ledger.record import Outcome, UsageRecord

NOTHING = Usage({})


class Settlement(NamedTuple):
    """Nano-dollars, and the tokens they are for."""

    tokens: int
    cost: int
    priced: bool
    """Whether that is all it cost: false where something that was used has no known price."""


class Settler:
    """Settles calls. `settle` may be called again for the same call: only the first time counts."""

    def __init__(self, books: Books, clock: Clock, waiting: Waiting) -> None:
        self._books = books
        self._clock = clock
        self._waiting = waiting

    def settle(self, call: Call) -> Settlement | None:
        """None if there was nothing to settle: no hold, or already done."""
        if not call.held:
            return None
        settlement = self.leave(call)
        self.freed(call.allowances)
        return settlement

    def leave(self, call: Call) -> Settlement | None:
        """As `settle` a call that holds; but nobody who waits for room has it before `freed` says so."""
        call.held = False
        settlement = None
        try:
            settlement = self._settle(call)
        finally:
            if call.turn is not None:
                call.turn.end(None if settlement is None else settlement.tokens)
        return settlement

    def freed(self, allowances: Sequence[Allowance]) -> None:
        """There may be room on these."""
        if self._waiting:
            self._waiting.freed(allowances)

    def _settle(self, call: Call) -> Settlement | None:
        if not call.sent and not any(earlier.status for earlier in call.earlier_attempts):
            self._books.void(call.request_id)
            return None
        usage = usage_of(call)
        cost = _cost_of(call, usage)
        into, out = usage.tokens()
        amounts = Amounts(requests=1, input_tokens=into, output_tokens=out, cost=cost.nanos)
        call.billed = call.billed or bool(usage.counts)
        call.settled, call.record = amounts, self._record(call, usage, cost)
        self._books.settle(call.request_id, amounts, call.record)
        return Settlement(into + out, cost.nanos, not cost.unpriced)

    def settle_given(self, call: Call) -> None:
        """Settle a call that is given an answer from memory: one request, and nothing used."""
        call.held, call.settled = False, (amounts := Amounts(requests=1))
        call.record = replace(
            self.unheard(call), outcome=call.outcome, usage_flags=call.flags + call.guardrails, price_id="", held=()
        )
        self._books.settle(call.request_id, amounts, call.record)
        if self._waiting:
            self._waiting.freed(call.allowances)

    def unheard(self, call: Call) -> UsageRecord:
        """The record of a call of which nothing more will be heard: what it used is what it held by then."""
        target, policy, bound = call.target, call.policy, call.bound
        held_after = self._clock.monotonic() - call.started
        return UsageRecord(
            request_id=call.request_id,
            trace_id=call.trace_id,
            organization_id=policy.organization_id,
            workspace_id=policy.workspace_id,
            key_id=policy.key_id,
            tenant_id=policy.tenant_id,
            integration_id=target.provider.integration_id,
            provider=target.provider.slug,
            provider_kind=target.provider.kind,
            endpoint=call.endpoint.path,
            model_asked=call.plan.model_asked,
            model=target.model,
            stream=call.head.stream,
            started_at=call.started_at,
            ended_after=held_after,
            outcome=Outcome.RECOVERED,
            status=call.status,
            attempts=call.attempts,
            requests=0 if call.counted else 1,
            usage_flags=call.flags + call.guardrails + _flags(bound.cost),
            price_id=bound.cost.price_id,
            metadata=call.metadata,
            error=call.error,
            earlier_attempts=call.earlier_attempts,
            cache_status=call.cache_status,
            config=call.config,
            prompt=call.prompt,
            span_id=call.span_id,
            held_after=held_after,
            held=(bound.input_tokens, bound.output_tokens, bound.cost_nanos),
        )

    def _record(self, call: Call, usage: Usage, cost: Cost) -> UsageRecord:
        """What was known when it was held, and all that has come since."""
        target = call.target
        return replace(
            call.unheard,
            integration_id=target.provider.integration_id,
            provider=target.provider.slug,
            provider_kind=target.provider.kind,
            model=target.model,
            first_byte_after=None if call.first_byte is None else call.first_byte - call.started,
            ended_after=self._clock.monotonic() - call.started,
            outcome=call.outcome,
            status=call.status,
            attempts=call.attempts,
            usage=dict(usage.counts),
            usage_source=usage.source,
            usage_flags=call.flags + call.guardrails + usage.flags + _flags(cost),
            usage_raw=usage.raw.decode("utf-8", "replace"),
            cost=cost.nanos,
            cost_lines=tuple([(line.meter, line.count, line.rate, line.nanos) for line in cost.lines]),
            price_id=cost.price_id,
            error=call.error,
            earlier_attempts=call.earlier_attempts,
        )


def usage_of(call: Call) -> Usage:
    """What was used: the provider's word where the answer is whole, nothing where it refused or was not reached, else
    an upper bound."""
    if not call.endpoint.billed or not call.sent or call.outcome is Outcome.PROVIDER_ERROR:
        return NOTHING
    dialogue, cut = call.dialogue, call.ration is not None and call.ration.used_up
    if dialogue.usage is not None and dialogue.complete:
        return dialogue.usage
    return estimate_without_usage(
        call.bound,
        delivered=dialogue.delivered,
        whole=dialogue.complete,
        hidden=dialogue.hidden_tokens or cut,
        reported=dialogue.usage,
    )


def _cost_of(call: Call, usage: Usage) -> Cost:
    """At the terms the provider says it served under, else at those the call asked for.

    Terms without a known price are billed as the standard ones and flagged: never free, and there to be found.
    """
    price = call.target.price
    if price is None:
        return Cost(0, unpriced=tuple(meter for meter, count in usage.counts.items() if count))
    terms = usage.terms or call.bound.terms
    under = price.under(terms)
    if under is None:
        call.flags += (f"unpriced:terms:{terms}",)
    return cost_of(usage, under or price)


def _flags(cost: Cost) -> tuple[str, ...]:
    return tuple([f"unpriced:{meter}" for meter in cost.unpriced]) if cost.unpriced else ()
