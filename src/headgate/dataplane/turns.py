"""Where an integration has a capacity, its calls wait for their turn before they are sent, in fair order by tenant.

A call holds its allowances by then: what it waits for is the provider only, and a turn is never given to a call that
cannot go. Whoever could not even wait is refused before anything is held for it.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Final

from headgate.base.clock import NANOS_PER_MS, NANOS_PER_SECOND, Clock
from headgate.base.errors import RateLimited
from headgate.dataplane.attempt import deadlines_for
from headgate.dataplane.call import Call
from headgate.dataplane.exchange import ClientGone, Exchange
from headgate.routing.gate import Gate
from headgate.routing.place import Place, TurnedAway, Why
from headgate.routing.plan import Target
from headgate.tenancy.capacity import Capacity
from headgate.upstream.client import Deadlines
from headgate.wire.rate_limits import rates_told
from headgate.wire.retry_after import retry_after

MOST: Final = 10_000
"""Gates remembered. Beyond, those where nobody is are forgotten."""
MS_PER_S: Final = NANOS_PER_SECOND // NANOS_PER_MS
_SENTENCES: Final = {
    Why.TENANT_QUEUE: "as many of your calls wait for it as may",
    Why.QUEUE: "as many calls wait for it as may",
    Why.TOO_LATE: "it will be for longer than a call may wait",
    Why.WAITED: "this call has waited as long as it may",
}


class Line:
    """A gate, and the timer that has it look again where time alone makes room."""

    def __init__(self, gate: Gate, kind: str, clock: Clock) -> None:
        self.gate = gate
        self.kind = kind
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None

    def arm(self) -> None:
        """After everything that happens at the gate."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if (at := self.gate.changes_at()) is not None:
            delay = max(at - self._clock.monotonic(), 0) / NANOS_PER_SECOND
            self._timer = asyncio.get_running_loop().call_later(delay, self._look)

    def _look(self) -> None:
        self.gate.advance()
        self.arm()


class Turn:
    """Of one attempt of one call."""

    __slots__ = ("_clock", "_line", "_place")

    def __init__(self, line: Line, place: Place, clock: Clock) -> None:
        self._line = line
        self._place = place
        self._clock = clock

    def answered(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """The head of the provider's answer is there; it may tell of its rate limits."""
        gate, now = self._line.gate, self._clock.now()
        if gate.learns:
            if status == 429:
                gate.throttled(self._place, retry_after(headers, b"", now))
            gate.answered(self._place, rates_told(headers, now))
            self._line.arm()

    @property
    def came(self) -> bool:
        """It is through."""
        return self._place.taken is not None

    def leave(self) -> TurnedAway:
        """Unused; this is what to tell a call that has waited in vain."""
        away = self._line.gate.waited()
        self.end(None)
        return away

    def end(self, used: int | None) -> None:
        """The provider is done with it, at so many tokens; None: it was never sent. Only the first time counts."""
        if not self._place.over:
            self._line.gate.end(self._place, used)
            self._line.arm()


class _Waiter:
    """Until its turn comes, or something else ends its wait. The first end counts."""

    def __init__(self) -> None:
        self._ended: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    def end(self, why: Exception | None) -> None:
        if not self._ended.done():
            self._ended.set_result(why)

    async def within(self, seconds: float) -> Exception | None:
        """What ended it; None, too, when the time is up."""
        try:
            async with asyncio.timeout(seconds):
                return await self._ended
        except TimeoutError:
            return None


class Turns:
    """Of all integrations with a capacity. One per process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lines: dict[tuple[str, str], Line] = {}
        self.given: Counter[str] = Counter()
        """Turns, by kind of provider."""
        self.refused: Counter[str] = Counter()

    @property
    def waiting(self) -> Counter[str]:
        """Calls that wait now, by kind of provider."""
        found: Counter[str] = Counter()
        for line in self._lines.values():
            found[line.kind] += line.gate.waiting
        return found

    def refusal(self, call: Call) -> RateLimited | None:
        """Asked before anything is held: where the call could not even wait for its target, why."""
        capacity = call.target.provider.capacity
        if capacity is None:
            return None
        try:
            self._line(call.target, capacity).gate.refuse(_tenant(call), _size(call))
        except TurnedAway as away:
            return self._told(call, away)
        return None

    async def wait(self, exchange: Exchange, call: Call, within: Deadlines) -> Deadlines:
        """Once it returns the call has its turn, to be ended by whoever settles it, and these are the deadlines that it
        has left. Raises `RateLimited` where it does not get one, and `ClientGone`."""
        capacity = call.target.provider.capacity
        assert capacity is not None
        line, began, own = self._line(call.target, capacity), self._clock.monotonic(), deadlines_for(exchange, within)
        waiter = _Waiter()
        tenant = call.policy.tenant
        try:
            place = line.gate.enter(_tenant(call), 1 if tenant is None else tenant.weight, _size(call), waiter.end)
        except TurnedAway as away:
            raise self._told(call, away) from None
        call.turn = Turn(line, place, self._clock)
        if place.taken is None:
            line.arm()
            exchange.on_gone(lambda: waiter.end(ClientGone("the client has hung up")))
            why = await waiter.within(min(capacity.max_wait_ms / MS_PER_S, own.total_s))
            self._let_go(call, call.turn, why)
        self.given[line.kind] += 1
        return _shortened(own, (self._clock.monotonic() - began) / NANOS_PER_SECOND)

    def _let_go(self, call: Call, turn: Turn, why: Exception | None) -> None:
        """After its wait. A turn that came in the very moment in which time was up is one all the same."""
        if turn.came and why is None:
            return
        away = turn.leave()
        raise why if isinstance(why, ClientGone) else self._told(call, why if isinstance(why, TurnedAway) else away)

    def _line(self, target: Target, capacity: Capacity) -> Line:
        """What is learned is learned of one model: providers limit each for itself."""
        provider = target.provider
        name = provider.integration_id, target.model if capacity.learned else ""
        line = self._lines.get(name)
        if line is None:
            if len(self._lines) >= MOST:
                self._lines = {known: each for known, each in self._lines.items() if not each.gate.idle}
            line = self._lines[name] = Line(Gate(capacity, self._clock), provider.kind, self._clock)
        elif line.gate.configure(capacity):
            line.arm()
        return line

    def _told(self, call: Call, away: TurnedAway) -> RateLimited:
        provider = call.target.provider
        self.refused[provider.kind] += 1
        return RateLimited(
            f"The provider `@{provider.slug}` is at its capacity, and {_SENTENCES[away.why]}. Send it again later.",
            type="gateway_capacity_error",
            code="capacity",
            details={"provider": provider.slug, "why": away.why.value},
            retry_after=away.retry_after,
        )


def _tenant(call: Call) -> str:
    """For whom it waits: where there is no tenant, the key is one."""
    return call.policy.tenant_id or call.policy.key_id


def _size(call: Call) -> int:
    return call.bound.input_tokens + call.bound.output_tokens


def _shortened(within: Deadlines, by_s: float) -> Deadlines:
    total_s = max(within.total_s - by_s, 0.001)
    return Deadlines(
        connect_s=min(within.connect_s, total_s),
        first_byte_s=min(within.first_byte_s, total_s),
        idle_s=min(within.idle_s, total_s),
        total_s=total_s,
    )
