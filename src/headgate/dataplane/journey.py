"""Steps 4 to 7 for a call with a config: its targets one after the other, until one answers.

At each moment the call holds what the target it is at can cost it, and no target is asked before that is held. What a
target may have billed without saying so is settled at its bound, as a record of its own, before the next one is held
for; what a target has not billed is given back in the same step in which the next one is held for, so that nobody
comes in between. Once the first byte has gone to the client there is no other target.
"""

import asyncio
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Final

from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.base.errors import HeadgateError, RateLimited, Unavailable
from headgate.catalog.bound import Bounds
from headgate.dataplane import admit
from headgate.dataplane.attempt import Sender, attempt, deadlines_for
from headgate.dataplane.books import Books
from headgate.dataplane.call import Call
from headgate.dataplane.converse import converse
from headgate.dataplane.exchange import Exchange
from headgate.dataplane.failure import Failure, heard
from headgate.dataplane.leg import Leg, unsent
from headgate.dataplane.limits import Limits
from headgate.dataplane.preparation import Preparation
from headgate.dataplane.recall import DISABLED, STATUS, Cache
from headgate.dataplane.refusal import refusal
from headgate.dataplane.relay import Relay
from headgate.dataplane.room import Room
from headgate.dataplane.settle import Settler
from headgate.dataplane.turns import Turns
from headgate.dataplane.watch import Watch
from headgate.ledger.hold import Denied
from headgate.ledger.record import EarlierAttempt
from headgate.routing.option import Option
from headgate.routing.retries import Retries
from headgate.upstream.client import Answer, Deadlines
from headgate.wire.registry import FORMATS

RESTING: Final = frozenset({503})
"""What a target that is ejected counts as: a call that may go on after it does."""
BROKEN_OFF: Final = frozenset({502})
"""What a target counts as that broke off before it answered."""
RETRIES: Final = b"x-portkey-retry-attempt-count"
PLACE: Final = b"x-portkey-last-used-option-index"


@dataclass(frozen=True, slots=True)
class Means:
    """All that a journey needs. One per pipeline."""

    preparation: Preparation
    books: Books
    settler: Settler
    room: Room
    relay: Relay
    sender: Sender
    watch: Watch
    turns: Turns
    retries: Retries
    clock: Clock
    limits: Limits
    cache: Cache | None = None


async def travel(means: Means, exchange: Exchange, call: Call, option: Option) -> None:
    """Answer the call, from this option on. Raises `HeadgateError` only while nothing has gone to the client."""
    journey = Journey(means, exchange, call, option)
    if not await journey.begin():
        return
    while (failure := await journey.attempt()) is not None:
        if not await journey.go_on(failure):
            await journey.tell(failure)
            return


class Journey:
    """Of one call."""

    def __init__(self, means: Means, exchange: Exchange, call: Call, option: Option) -> None:
        self._means = means
        self._exchange = exchange
        self._call = call
        self._option = option
        self._asked = call.document, call.head, call.flags, tuple(call.told)
        self._first_id = call.request_id
        self._holds = 1
        self._retried = 0  # how often the target it is at was tried again
        self._tried: list[EarlierAttempt] = []
        within = deadlines_for(exchange, means.limits.deadlines)
        self._recall = None if means.cache is None else means.cache.recall(exchange, call, call.cache)
        self._until = means.clock.monotonic() + int(within.total_s * NANOS_PER_SECOND)

    async def begin(self) -> bool:
        """Hold for the first target that fits; where none does, for the one it begins with if room can be made there.
        Raises what the holds raise. False: there is nothing to ask, for the client was given an answer from memory."""
        means, call = self._means, self._call
        refused: tuple[Option, HeadgateError, Denied | None] | None = None
        option: Option | None = self._option
        while option is not None:
            self._option, denied = self._able(option), None
            try:
                await self._ready(self._option)
            except Unavailable:
                raise
            except HeadgateError as found:
                error = found
            else:
                if self._recall is not None and (known := self._recall.answer()) is not None:
                    await self._give(known)
                    return False
                if (busy := means.turns.refusal(call)) is not None:
                    error = busy
                elif (denied := admit.hold(call, means.books, means.settler)) is None or (
                    denied := await means.room.borrow(call, denied)
                ) is None:
                    return True
                else:
                    error = refusal(denied)
            refused = refused or (self._option, error, denied)
            option = self._option.elsewhere({error.status})
        assert refused is not None
        self._option, error, denied = refused
        if denied is None:
            raise error
        bounds = await self._ready(self._option)
        await means.room.make(self._exchange, call, denied, bounds)
        return True

    async def _give(self, body: bytes) -> None:
        """It is refused as any call is, and counts as a request."""
        if denied := await admit.hold_request_borrowed(self._call, self._means.books):
            raise refusal(denied)
        self._tell_where()
        await self._means.relay.give(self._exchange, self._call, body)

    async def attempt(self) -> Failure | None:
        """None: the client has its answer. Raises `HeadgateError` for what no other target could mend."""
        call, means, exchange = self._call, self._means, self._exchange
        await means.books.durable()
        self._tell_where()
        within = self._deadlines()
        if not self._retried:
            means.retries.call(call.target.provider.base_url)
        with means.watch.on(call, within) as seen:
            try:
                if call.target.provider.capacity is not None:
                    within = await means.turns.wait(exchange, call, within)
                    seen.begins()
                answer = await attempt(exchange, call, call.target, call.outgoing, means.sender, within)
                seen.answered()
                with closing(answer):
                    seen.failure = await self._take(answer)
            except HeadgateError as error:
                if exchange.started:
                    raise
                seen.failure = Failure(error.status, error=error)
        if seen.failure is not None:
            self._tried.append(seen.failure.attempt(call.target, seen.took))
            if call.turn is not None:
                call.turn.end(seen.failure.tokens(call))
                call.turn = None
        return seen.failure

    async def _take(self, answer: Answer) -> Failure | None:
        if answer.status >= 400:
            return await heard(answer, self._call, self._means.limits.answer, self._means.clock.now())
        await self._means.relay.answer(self._exchange, self._call, answer, last=not self._may_go_on())
        if self._recall is not None:
            self._recall.keep()
        return None

    def _may_go_on(self) -> bool:
        """Whether this attempt could be followed by another, if its provider broke off."""
        option, retry = self._option, self._option.terms.retry
        tried_out = retry is None or self._retried >= retry.attempts or BROKEN_OFF.isdisjoint(retry.on_status_codes)
        return not tried_out or option.elsewhere(BROKEN_OFF) is not None

    async def go_on(self, failure: Failure) -> bool:
        """Whether there is another attempt to be made, and it is held for."""
        if self._exchange.started or self._exchange.gone:
            return False
        if await self._again(failure):
            return True
        option = self._option.elsewhere(failure.codes)
        while option is not None and self._left_s() > 0:
            option = self._able(option)
            error = await self._move(option, failure)
            if error is None:
                self._option, self._retried = option, 0
                return True
            option = option.elsewhere({error.status})
        return False

    async def tell(self, failure: Failure) -> None:
        """It ends here: the provider's own words, or raises what was in the way."""
        if failure.heard is None:
            assert failure.error is not None
            raise failure.error
        await self._means.relay.error(self._exchange, self._call, failure.heard)

    async def _again(self, failure: Failure) -> bool:
        """The same target once more, after a pause; not where it had no turn for this call."""
        retry, call = self._option.terms.retry, self._call
        if retry is None or self._retried >= retry.attempts or retry.on_status_codes.isdisjoint(failure.codes):
            return False
        if isinstance(failure.error, RateLimited):
            return False
        wait_s = failure.wait_s if retry.use_retry_after else None
        pause = self._means.retries.pause(call.target.provider.base_url, self._retried + 1, wait_s)
        if pause is None or pause >= self._left_s():
            return False
        await asyncio.sleep(pause)
        if self._exchange.gone:
            return False
        if failure.may_be_billed(call):
            if await self._move(self._option, failure) is not None:
                return False
        else:
            unsent(call)
            call.dialogue = converse(call, call.target, call.bound)
            call.outgoing = call.dialogue.request()
        self._retried += 1
        return True

    async def _move(self, option: Option, failure: Failure) -> HeadgateError | None:
        """Hold for this option in place of what is held. An error: it could not, and the call is where it was."""
        call, here = self._call, Leg.of(self._call)
        try:
            await self._ready(option)
        except BaseException as error:
            here.take(call)
            if isinstance(error, HeadgateError):
                return error
            raise
        there = Leg.of(call)
        here.take(call)
        allowances = call.allowances
        try:
            return await self._exchange_holds(here, there, failure)
        finally:
            self._means.settler.freed(allowances)  # only now: nobody was to come in between

    async def _exchange_holds(self, here: Leg, there: Leg, failure: Failure) -> HeadgateError | None:
        call, held = self._call, self._call.held
        billed = self._leave(failure)
        back = partial(self._back, here, failure, held and not billed)
        there.take(call)
        denied = self._hold()
        if denied is None:
            return None
        try:
            denied = await self._means.room.borrow(call, denied)
        except Unavailable as away:
            back()
            return away
        except BaseException:
            back()
            raise
        if denied is None:
            return None
        back()
        return refusal(denied)

    def _back(self, here: Leg, failure: Failure, held: bool) -> None:
        """Where it was; what it held then, and was not billed, is held again where it still fits."""
        here.take(self._call)
        if held and self._hold() is None:
            self._call.sent = failure.heard is not None  # what was answered is to have its record

    def _leave(self, failure: Failure) -> bool:
        """Settle what may have been billed (True), or give back what was not."""
        call = self._call
        billed = failure.may_be_billed(call)
        if billed and failure.error is not None:
            call.fail(failure.error)
        if not billed:
            call.sent, call.earlier_attempts = False, ()  # what was answered is told of by the next one's record
        if call.held:
            self._means.settler.leave(call)
        call.counted = call.counted or billed
        return billed

    def _hold(self) -> Denied | None:
        """Under an id of its own: what was held before is resolved, and is not to be taken for this."""
        call = self._call
        self._holds += 1
        call.request_id = f"{self._first_id}-{self._holds}"
        call.earlier_attempts = tuple(self._tried)
        unsent(call)
        return admit.hold(call, self._means.books, self._means.settler)

    async def _ready(self, option: Option) -> Bounds:
        """The call as it is for this option, with nothing held for it."""
        call, terms = self._call, option.terms
        call.document, call.head, call.flags, told = self._asked
        if terms.overrides:
            call.document = call.document.changed(dict(terms.overrides))
            call.head = FORMATS[call.endpoint.format].head(call.document)
        call.plan, call.told = option.plan, (*option.target.told, *told)
        call.max_tokens = call.ration = None
        call.guardrails = call.guardrails_told = ()
        return await self._means.preparation.of(call, terms)

    def _able(self, option: Option) -> Option:
        """This option, or, while its target is to be left alone, the one that a call may go on to."""
        while (other := option.elsewhere(RESTING)) is not None and not self._means.watch.admits(option.target):
            option = other
        return option

    def _deadlines(self) -> Deadlines:
        """What is left of the whole, or what the config gives this target."""
        own, total_s = self._means.limits.deadlines, self._left_s()
        if (asked_ms := self._option.terms.request_timeout_ms) is not None:
            total_s = min(total_s, asked_ms / 1000)
        return Deadlines(
            connect_s=min(own.connect_s, total_s),
            first_byte_s=min(own.first_byte_s, total_s),
            idle_s=min(own.idle_s, total_s),
            total_s=total_s,
        )

    def _left_s(self) -> float:
        return (self._until - self._means.clock.monotonic()) / NANOS_PER_SECOND

    def _tell_where(self) -> None:
        call = self._call
        call.earlier_attempts = tuple(self._tried)
        place: dict[bytes, bytes] = {
            RETRIES: b"%d" % self._retried,
            PLACE: self._option.path.encode(),
            STATUS: (call.cache_status or DISABLED).encode(),
        }
        call.told = (*(header for header in call.told if header[0] not in place), *place.items())
