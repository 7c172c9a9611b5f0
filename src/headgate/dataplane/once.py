"""The header `Idempotency-Key` on calls: one that is sent again is answered as it was the first time, and not charged.

A call's claim on its key is in the database before anything else is done for it, and its answer as soon as it is over.
What was not charged leaves the key free: a refusal, a provider's error. What was charged and cannot be given again (a
stream that broke off, an answer that is too large) is refused from then on: never is there a second charge unasked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

import msgspec

from headgate.base.errors import HeadgateError
from headgate.base.tasks import Tasks
from headgate.dataplane.call import OK, Call
from headgate.dataplane.config_hint import HEADER as CONFIG
from headgate.dataplane.exchange import Exchange
from headgate.dataplane.headers import Header, call_lines, cost_line, told_headers
from headgate.dataplane.recorded import Recorded
from headgate.dataplane.replay import replay
from headgate.dataplane.settle import Settler
from headgate.ledger.record import Outcome
from headgate.tenancy.idempotency import Idempotency, under_way
from headgate.tenancy.kept_answer import KeptAnswer
from headgate.wire.registry import FORMATS

HEADER: Final = b"idempotency-key"
REPLAY: Final[Header] = (b"x-headgate-idempotent-replay", b"true")
FIRST: Final = b"x-headgate-first-request-id"
ANSWERED: Final = frozenset({Outcome.OK, Outcome.CLIENT_GONE})
TRY_AGAIN_S: Final = 1.0
"""Between two attempts to write down how a call ended, while the database is away."""
PATIENCE_S: Final = 1.0
"""How long a call waits for the answer that is just being written down."""
LAST_WRITES_S: Final = 5.0

Name = tuple[str, str]
"""Who calls, and the key."""
Go = Callable[[Exchange, Call], Awaitable[None]]


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    """An answer as it is sealed."""

    stream: bool
    headers: list[Header]
    body: bytes


class Once:
    """One per process. `largest` is the bytes of an answer that is kept."""

    def __init__(
        self, idempotency: Idempotency, largest: int, on_failure: Callable[[str, BaseException], None]
    ) -> None:
        self._idempotency = idempotency
        self._largest = largest
        self._on_failure = on_failure
        self._tasks = Tasks(on_failure)
        self._live: set[Name] = set()
        self._ending: dict[Name, asyncio.Task[None]] = {}
        """Calls that are over, and whose answers are being written down."""

    async def answer(self, exchange: Exchange, call: Call, settler: Settler, go: Go) -> None:
        """As `go` answers it, or as it was answered the first time. Raises what `go` raises, and what a claim does."""
        key, caller = (exchange.header(HEADER) or b"").decode("latin-1"), _caller(call)
        name = caller, key
        if (ending := self._ending.get(name)) is not None:
            await asyncio.wait([ending], timeout=PATIENCE_S)
        if name in self._live or name in self._ending:
            raise under_way()
        self._live.add(name)
        try:
            claim, first = await self._idempotency.claim_call(
                call.policy.organization_id, caller, key, _fingerprint(exchange, call), call.request_id
            )
            if first is None:
                await self._carry_out(exchange, call, claim, settler, go)
            else:
                await _again(exchange, call, claim, msgspec.msgpack.decode(first, type=_Kept))
        finally:
            self._live.discard(name)

    async def close(self) -> None:
        """Returns once every answer is written down, as far as the database takes it."""
        await self._tasks.wait(LAST_WRITES_S)
        await self._tasks.close()

    async def _carry_out(self, exchange: Exchange, call: Call, claim: KeptAnswer, settler: Settler, go: Go) -> None:
        call.record_up_to = max(call.record_up_to, self._largest)
        told: HeadgateError | None = None
        try:
            await go(exchange, call)
        except HeadgateError as error:
            call.fail(error)
            told = None if exchange.started else error
            raise
        finally:
            settler.settle(call)
            name = _caller(call), (exchange.header(HEADER) or b"").decode("latin-1")
            task = self._tasks.start(self._end(call, claim, told), "keeping the answer of a call")
            self._ending[name] = task
            task.add_done_callback(lambda _: self._ending.pop(name))

    async def _end(self, call: Call, claim: KeptAnswer, told: HeadgateError | None) -> None:
        """Until it is written down the key counts as under way: nobody may take it for free."""
        while True:
            try:
                await self._write_down(call, claim, told)
                return
            except HeadgateError as error:
                self._on_failure("the answer of a call is not kept yet", error)
            await asyncio.sleep(TRY_AGAIN_S)

    async def _write_down(self, call: Call, claim: KeptAnswer, told: HeadgateError | None) -> None:
        """What the key stands for from now on."""
        answer = call.dialogue
        if isinstance(answer, Recorded) and answer.whole and call.outcome in ANSWERED:
            body, status = answer.body, call.status_told(OK)
            if body is None or len(body) > self._largest:
                await self._idempotency.lose(claim, status)
            else:
                await self._keep(claim, status, _Kept(call.head.stream, list(call.told), body))
        elif not call.billed:
            await self._idempotency.release(claim)
        elif told is not None:
            body = FORMATS[call.endpoint.format].error_body(told)
            await self._keep(claim, told.status, _Kept(False, [], body))
        else:
            await self._idempotency.lose(claim, None)

    async def _keep(self, claim: KeptAnswer, status: int, kept: _Kept) -> None:
        await self._idempotency.keep(claim, status, msgspec.msgpack.encode(kept))


async def _again(exchange: Exchange, call: Call, claim: KeptAnswer, kept: _Kept) -> None:
    status = claim.status or OK
    call.told = kept.headers
    call.answered_with(status)
    headers = [*told_headers(call), REPLAY, (FIRST, (claim.request_id or "").encode())]
    lines = call_lines(call, b"gateway") + cost_line(0)
    await replay(exchange, status, headers, kept.body, lines, stream=kept.stream)


def _caller(call: Call) -> str:
    """The key, and the tenant it acts for: neither is ever answered with what the other was told."""
    return f"{call.policy.key_id}:{call.policy.tenant_id or ''}"


def _fingerprint(exchange: Exchange, call: Call) -> bytes:
    """All that makes it this request and no other."""
    return b"".join([b"%d:%b" % (len(part), part) for part in _parts(exchange, call)])


def _parts(exchange: Exchange, call: Call) -> Iterator[bytes]:
    yield call.endpoint.path.encode()
    for header in (CONFIG, b"x-portkey-provider", b"x-portkey-virtual-key"):
        yield exchange.header(header) or b""
    yield call.document.body
