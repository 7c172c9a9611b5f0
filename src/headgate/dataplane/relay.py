"""Step 7: the provider's answer to the client, as it comes, with usage watched on the way.

Once the first byte has gone out an error can only be told inside the stream. A client that hangs up does not end the
reading at once: the provider bills what it generates, and only its own last words say how much that was.
"""

import asyncio
from functools import partial

from headgate.base.clock import Clock
from headgate.base.errors import HeadgateError, Unavailable, UpstreamFailed
from headgate.dataplane.attempt import failure
from headgate.dataplane.call import Call, Stop
from headgate.dataplane.exchange import ClientGone, Exchange
from headgate.dataplane.headers import STREAM_HEADERS, Header, call_headers, cost_header, provider_headers
from headgate.dataplane.limits import Limits
from headgate.dataplane.ration import CUT
from headgate.dataplane.settle import Settler
from headgate.dataplane.standing import Standing
from headgate.ledger.record import Outcome
from headgate.upstream.client import Answer, Failed
from headgate.wire.dialogue import Dialogue

JSON: Header = (b"content-type", b"application/json")
CLIENT_CLOSED_REQUEST = 499
"""What is recorded as the status of an answer nobody was there to receive."""


async def relay(
    exchange: Exchange,
    call: Call,
    answer: Answer,
    settler: Settler,
    standing: Standing,
    limits: Limits,
    clock: Clock,
) -> None:
    """The whole answer, whatever it is. Raises `HeadgateError` only while nothing has gone to the client."""
    assert call.dialogue is not None
    assert call.head is not None
    if answer.status >= 400:
        await _relay_error(exchange, call, answer, settler, standing, limits)
    elif answer.status >= 300:
        raise UpstreamFailed(
            "The provider answered with a redirect, which is never followed.", code="upstream_redirect"
        )
    elif call.head.stream and _is_event_stream(answer):
        await _relay_stream(exchange, call, answer, call.dialogue, standing, clock)
    else:
        await _relay_answer(exchange, call, answer, settler, standing, limits)


def _is_event_stream(answer: Answer) -> bool:
    return (answer.header(b"content-type") or b"").startswith(b"text/event-stream")


async def _read(call: Call, answer: Answer, limits: Limits) -> bytes:
    assert call.plan is not None
    try:
        return await answer.read(limits.answer)
    except Failed as failed:
        raise failure(failed, call.plan.first) from failed


async def _relay_error(
    exchange: Exchange, call: Call, answer: Answer, settler: Settler, standing: Standing, limits: Limits
) -> None:
    assert call.dialogue is not None
    body = call.dialogue.error(answer.status, await _read(call, answer, limits))
    call.outcome, call.status = Outcome.PROVIDER_ERROR, answer.status
    settler.settle(call)
    await _respond(exchange, call, answer, body, standing(call))


async def _relay_answer(
    exchange: Exchange, call: Call, answer: Answer, settler: Settler, standing: Standing, limits: Limits
) -> None:
    """Settled before it is sent, so that the answer can tell its own cost."""
    assert call.dialogue is not None
    body = call.dialogue.answer(answer.status, await _read(call, answer, limits))
    call.status = answer.status
    settlement = settler.settle(call)
    told = standing(call)
    if settlement is not None:
        told.append(cost_header(settlement.cost))
    await _respond(exchange, call, answer, body, told)


async def _respond(exchange: Exchange, call: Call, answer: Answer, body: bytes, more: list[Header]) -> None:
    headers = [JSON, *call_headers(call, b"provider"), *provider_headers(call.target.spec, answer.headers), *more]
    await exchange.respond(answer.status, headers, body)


async def _relay_stream(
    exchange: Exchange, call: Call, answer: Answer, dialogue: Dialogue, standing: Standing, clock: Clock
) -> None:
    client, ration = _Client(exchange, call, answer, standing, clock), call.ration
    feed = dialogue.feed if ration is None else partial(ration.feed, dialogue)
    try:
        while data := await answer.next():
            if out := feed(data):
                await client.write(out)
            if ration is not None and ration.used_up:
                await client.cut(dialogue)
                break
        else:
            if tail := dialogue.finish():
                await client.write(tail)
    except Failed as failed:
        assert call.plan is not None
        await client.abort(dialogue, failure(failed, call.plan.first), Outcome.UPSTREAM_FAILED)
    except HeadgateError as error:
        await client.abort(dialogue, error, Outcome.UPSTREAM_FAILED)
    except asyncio.CancelledError:
        if call.stopped is not Stop.DRAINING:
            raise
        call.task.uncancel()
        draining = Unavailable("The gateway is shutting down; send the call again.", code="draining")
        await client.abort(dialogue, draining, Outcome.CUT)
    await client.end()


class _Client:
    """The client's side of a stream: the head goes out with the first bytes, and after a hang-up nothing does."""

    def __init__(self, exchange: Exchange, call: Call, answer: Answer, standing: Standing, clock: Clock) -> None:
        self._exchange = exchange
        self._call = call
        self._answer = answer
        self._standing = standing
        self._clock = clock

    async def write(self, data: bytes) -> None:
        if self._exchange.gone:
            self._lost()
            return
        try:
            if not self._exchange.started:
                await self._start()
            await self._exchange.write(data)
        except ClientGone:
            self._lost()

    def _lost(self) -> None:
        self._call.outcome, self._call.status = Outcome.CLIENT_GONE, CLIENT_CLOSED_REQUEST

    async def _start(self) -> None:
        call = self._call
        headers = [
            *STREAM_HEADERS,
            *call_headers(call, b"provider"),
            *provider_headers(call.target.spec, self._answer.headers),
            *self._standing(call),
        ]
        await self._exchange.start(self._answer.status, headers)
        call.first_byte, call.status = self._clock.monotonic(), self._answer.status

    async def abort(self, dialogue: Dialogue, error: HeadgateError, outcome: Outcome) -> None:
        """Before the first byte the error is the answer; after it, the format's own error event."""
        self._answer.close()
        status = self._call.status
        self._call.fail(error, outcome)
        if not self._exchange.started:
            raise error
        self._call.status = status
        await self.write(dialogue.abort(error))

    async def cut(self, dialogue: Dialogue) -> None:
        """As if the answer had reached its length limit; the provider is told first, because it bills on."""
        self._answer.close()
        self._call.outcome, self._call.error = Outcome.CUT, CUT
        await self.write(dialogue.cut())

    async def end(self) -> None:
        if self._exchange.gone:
            return
        try:
            if not self._exchange.started:
                await self._start()
            await self._exchange.end()
        except ClientGone:
            self._lost()
