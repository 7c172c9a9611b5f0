"""Step 7: the provider's answer to the client, as it comes, with usage watched on the way.

Once the first byte has gone out an error can only be told inside the stream. A client that hangs up does not end the
reading at once: the provider bills what it generates, and only its own last words say how much that was.
"""

import asyncio
from functools import partial

from headgate.base.abreast import abreast
from headgate.base.clock import Clock
from headgate.base.errors import HeadgateError, Unavailable, UpstreamFailed
from headgate.dataplane.attempt import failure
from headgate.dataplane.call import OK, Call, Stop
from headgate.dataplane.discreet import make_discreet, without_credentials
from headgate.dataplane.exchange import ClientGone, Exchange
from headgate.dataplane.failure import Heard
from headgate.dataplane.guarded import check_whole, holds_back
from headgate.dataplane.headers import (
    JSON,
    STREAM_HEADERS,
    call_lines,
    cost_line,
    kind_of,
    provider_headers,
    told_headers,
)
from headgate.dataplane.heartbeat import COMMENT, Heartbeat
from headgate.dataplane.limits import Limits
from headgate.dataplane.metered import Poured, pours
from headgate.dataplane.ration import CUT
from headgate.dataplane.replay import replay
from headgate.dataplane.settle import Settler
from headgate.dataplane.standing import Standing
from headgate.ledger.record import Outcome
from headgate.upstream.client import Answer, Failed
from headgate.wire.dialogue import Dialogue
from headgate.wire.provider_error import read_error
from headgate.wire.sse import EventSplitter


class Relay:
    """One per pipeline."""

    def __init__(self, settler: Settler, standing: Standing, clock: Clock, limits: Limits) -> None:
        self._settler = settler
        self._standing = standing
        self._clock = clock
        self._limits = limits

    async def answer(self, exchange: Exchange, call: Call, answer: Answer, *, last: bool = True) -> None:
        """The whole answer, whatever it is. Raises `HeadgateError` only while nothing has gone to the client; unless
        this is the call's `last` attempt, also for a stream that tells of an error before anything else."""
        await abreast()
        if answer.status >= 400:
            await self.error(exchange, call, answer)
        elif answer.status >= 300:
            raise UpstreamFailed(
                "The provider answered with a redirect, which is never followed.", code="upstream_redirect"
            )
        else:
            try:
                if (call.head.stream and _is_event_stream(answer)) or pours(call.dialogue, answer):
                    await self._stream(exchange, call, answer, last)
                else:
                    await self._whole(exchange, call, answer)
            except HeadgateError as error:
                make_discreet(error, call.target)
                raise

    async def error(self, exchange: Exchange, call: Call, answer: Answer | Heard) -> None:
        """An answer that is no success: in the client's format, with the provider's status."""
        said = without_credentials(await self._read(call, answer), call.target)
        body = call.dialogue.error(answer.status, said)
        call.outcome, call.status = Outcome.PROVIDER_ERROR, answer.status
        self._settler.settle(call)
        await _respond(exchange, call, answer, body, self._standing(call))

    async def give(self, exchange: Exchange, call: Call, body: bytes) -> None:
        """An answer from memory, to a call that holds its request. Raises `GuardrailDenied`."""
        check_whole(call, body)
        status = call.status_told(OK)
        call.answered_with(status)
        self._settler.settle_given(call)
        lines = call_lines(call, b"gateway") + self._standing(call) + cost_line(0)
        await replay(exchange, status, told_headers(call), body, lines, stream=call.head.stream)

    async def _whole(self, exchange: Exchange, call: Call, answer: Answer) -> None:
        """Settled before it is sent, so that the answer can tell its own cost."""
        body = call.dialogue.answer(answer.status, await self._read(call, answer))
        call.answered_with(call.status_told(answer.status))
        settlement = self._settler.settle(call)
        told = self._standing(call)
        if settlement is not None and settlement.priced:
            told += cost_line(settlement.cost)
        await _respond(exchange, call, answer, body, told)

    async def _read(self, call: Call, answer: Answer | Heard) -> bytes:
        try:
            return await answer.read(self._limits.answer)
        except Failed as failed:
            raise failure(failed, call.target) from failed

    async def _stream(self, exchange: Exchange, call: Call, answer: Answer, last: bool) -> None:
        dialogue, ration = call.dialogue, call.ration
        client = _Client(exchange, call, answer, self._standing, self._clock)
        feed = dialogue.feed if ration is None else partial(ration.feed, dialogue)

        def take(data: bytes) -> bool:
            out = feed(data)
            if dialogue.passed_error:
                out = without_credentials(out, call.target)
                if not last and not exchange.started:
                    raise _error_at_once(out)
            return (not out or client.push(out)) and (ration is None or not ration.holds_up)

        try:
            with Heartbeat(self._limits.heartbeat_s if client.of_events else 0, client.beat):
                while await answer.pour(take):
                    await client.catch_up()
                    if ration is not None:
                        await ration.catch_up(dialogue)
                        if ration.used_up:
                            await client.cut(dialogue)
                            break
                else:
                    if tail := dialogue.finish():
                        await client.write(tail)
        except Failed as failed:
            await client.abort(dialogue, failure(failed, call.target), Outcome.UPSTREAM_FAILED)
        except HeadgateError as error:
            await client.abort(dialogue, error, Outcome.UPSTREAM_FAILED)
        except asyncio.CancelledError:
            if call.stopped is not Stop.DRAINING:
                raise
            call.task.uncancel()
            draining = Unavailable("The gateway is shutting down; send the call again.", code="draining")
            await client.abort(dialogue, draining, Outcome.CUT)
        await client.end()


def _error_at_once(said: bytes) -> UpstreamFailed:
    """Of a stream that begins with it."""
    told = [event.data for event in EventSplitter().feed(said)] or [b""]
    return UpstreamFailed(read_error(UpstreamFailed.status, told[-1]).message, code="provider_error_in_stream")


def _is_event_stream(answer: Answer) -> bool:
    return (answer.header(b"content-type") or b"").startswith(b"text/event-stream")


async def _respond(exchange: Exchange, call: Call, answer: Answer | Heard, body: bytes, standing: bytes) -> None:
    kind = kind_of(answer.headers) if call.endpoint.media and answer.status == OK else JSON
    headers = [kind, *told_headers(call), *provider_headers(call.target.spec, answer.headers)]
    await exchange.respond(call.status_told(answer.status), headers, body, call_lines(call, b"provider") + standing)


class _Client:
    """The client's side of a stream: the head goes out with the first bytes, and after a hang-up nothing does."""

    def __init__(self, exchange: Exchange, call: Call, answer: Answer, standing: Standing, clock: Clock) -> None:
        self._exchange = exchange
        self._call = call
        self._answer = answer
        self._standing = standing
        self._clock = clock
        self._owed = b""
        """What could not be sent at once."""
        self._silent = False
        """Nothing has been sent since the last beat."""
        self.of_events = not isinstance(call.dialogue, Poured)

    def push(self, data: bytes) -> bool:
        """Send it without waiting, or owe it and answer False: `catch_up` before anything else."""
        self._silent = False
        if self._exchange.push(data):
            return True
        self._owed = data
        return False

    def beat(self) -> None:
        """A sign of life after a silence; not from an answer that is held back until guardrails have seen it."""
        silent, self._silent = self._silent, True
        if not silent or self._owed or self._exchange.gone or holds_back(self._call):
            return
        if not (self._exchange.started and self._exchange.push(COMMENT)):
            self._owed = COMMENT
            self._answer.interrupt()

    async def catch_up(self) -> None:
        """Send what is owed."""
        owed, self._owed = self._owed, b""
        if owed:
            await self.write(owed)

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
        self._call.client_left()

    async def _start(self) -> None:
        call = self._call
        headers = [
            *(STREAM_HEADERS if self.of_events else (kind_of(self._answer.headers),)),
            *told_headers(call),
            *provider_headers(call.target.spec, self._answer.headers),
        ]
        lines = call_lines(call, b"provider") + self._standing(call)
        status = call.status_told(self._answer.status)
        await self._exchange.start(status, headers, lines)
        call.first_byte = self._clock.monotonic()
        call.answered_with(status)

    async def abort(self, dialogue: Dialogue, error: HeadgateError, outcome: Outcome) -> None:
        """Before the first byte the error is the answer; after it, the format's own error event."""
        self._answer.close()
        status = self._call.status
        self._call.fail(error, outcome)
        if not self._exchange.started:
            raise error
        if not self.of_events:
            raise error  # nothing in these bytes could tell: the connection breaks off with them
        self._call.status = status
        make_discreet(error, self._call.target)
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
