"""Several processes on one authority: never over a cap, whatever is lost, killed, emptied or set wrong."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from redis.asyncio import Redis

from headgate.base.errors import Unavailable
from headgate.ledger.allowance import Allowance, Amounts, WindowKind
from headgate.ledger.counters import _begin
from headgate.ledger.hold import Denied, Held
from headgate.ledger.record import UsageRecord
from headgate.storage.shares.server_clock import ServerClock
from tests.ledger.contract import ALLOWANCES, ASKED, MORE, NAMES, Rows
from tests.ledger.model import NOTHING, Call, Model
from tests.support.borrowers import Borrower, set_clock
from tests.support.ledger import KeptEntries, ManualClock, record
from tests.support.valkey import Valkey, valkey

__all__ = ["valkey"]

NODES = 3
CAPS = {each.id: each for each in ALLOWANCES}
KINDS = ("heard", "heard", "heard", "answer lost", "not heard", "heard late", "heard meanwhile")
FATES = st.tuples(st.sampled_from(KINDS), st.integers(0, 4))
"""What becomes of what a process says, and how much of it is heard before."""


Fate = tuple[str, int]
HEARD: Fate = ("heard", 0)


class Wrong:
    """A machine's own clocks: hours off, and with a start of its own."""

    def __init__(self, clock: ManualClock, number: int) -> None:
        self._clock, self._number = clock, number

    def now(self) -> int:
        return self._clock.now() + (self._number - 1) * 3_600 * 10**9

    def monotonic(self) -> int:
        return self._clock.monotonic() + self._number * 10**12


class Faulty:
    """The network between one process and the authority. What is `late` is still on its way."""

    def __init__(self, redis: Any) -> None:
        self._redis = redis
        self.fate, self.after = HEARD
        self.late: list[Any] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._redis, name)

    def next_fate(self) -> str:
        self.after -= 1
        return "heard" if self.after >= 0 else self.fate

    def pipeline(self, transaction: bool) -> Any:
        faulty, pipeline = self, self._redis.pipeline(transaction=transaction)

        class Pipeline:
            execute_command = pipeline.execute_command

            async def execute(self, raise_on_error: bool) -> Any:
                fate = faulty.next_fate()
                if fate == "heard late":
                    faulty.late.append(pipeline)
                if fate in ("heard late", "not heard"):
                    raise ConnectionResetError("cut")
                replies = await pipeline.execute(raise_on_error=raise_on_error)
                if fate == "answer lost":
                    raise ConnectionResetError("cut")
                if fate == "heard meanwhile":
                    faulty.meanwhile()
                return replies

        return Pipeline()


class Nodes(RuleBasedStateMachine):
    """Three processes; a call is of one of them."""

    calls: Bundle[str] = Bundle("calls")
    url: str

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.redis = Redis.from_url(self.url)
        self.run(self.redis.flushall())
        self.clock = ManualClock()
        self.model, self.rows = Model(), Rows()
        self.owner: dict[str, int] = {}
        self.unwritten: list[list[UsageRecord]] = [[] for _ in range(NODES)]
        self.names = self.starts = 0
        self.spared = ""
        self.nodes: list[Borrower] = []
        self.links: list[Faulty] = []
        for number in range(NODES):
            self.nodes.append(self.started(number))

    def started(self, number: int) -> Borrower:
        self.starts += 1
        clock = ServerClock(Wrong(self.clock, number))
        link = Faulty(self.redis)
        link.meanwhile = partial(self.some_end, number)
        for before in self.links[number : number + 1]:
            link.late = before.late
        self.links[number : number + 1] = [link]

        async def past(allowances: Sequence[Allowance]) -> Mapping[str, Sequence[tuple[int, int]]]:
            return {each.id: self.rows.past_use(each, _begin(each, self.clock.now())) for each in allowances}

        async def members() -> Sequence[str]:
            return [each.name for each in self.nodes]

        async def written() -> None:
            self.write(number)

        node = Borrower(f"{number}-{self.starts}", link, clock, KeptEntries(), past, members, written)
        node.borrowing.patience_s = 0.05  # nobody else runs while one waits
        return node

    def write(self, number: int) -> None:
        self.rows.add(self.unwritten[number])
        self.unwritten[number] = []

    def run(self, coroutine: Awaitable[Any]) -> Any:
        async def at_this_time() -> Any:
            if hasattr(self, "clock"):
                await set_clock(self.redis, self.clock.now())
            return await coroutine

        return self.loop.run_until_complete(at_this_time())

    def try_to(self, coroutine: Awaitable[Any], number: int, fate: Fate = HEARD) -> Any:
        link = self.links[number]
        link.fate, link.after = fate
        try:
            return self.run(coroutine)
        except Unavailable:
            return None
        finally:
            link.fate = "heard"

    @rule(
        target=calls,
        number=st.integers(0, NODES - 1),
        asked=ASKED,
        on=st.sets(st.sampled_from(NAMES), min_size=1),
        fate=FATES,
    )
    def hold(self, number: int, asked: Amounts, on: set[str], fate: Fate) -> str:
        """Let in: within every cap, whatever the others have."""
        self.names += 1
        name, applying = f"call {self.names}", [CAPS[each] for each in sorted(on)]
        found = self.try_to(self.nodes[number].hold(name, applying, asked), number, fate)
        if found is None or isinstance(found, Denied):
            return name
        now = self.clock.now()
        self.model.calls[name] = Call(now, {each.id: each.cap for each in applying}, [(now, asked)])
        self.rows.allowances[name], self.owner[name] = tuple(on), number
        return name

    def under_way(self, name: str) -> Call | None:
        call = self.model.calls.get(name)
        return call if call is not None and call.under_way else None

    @rule(name=calls, more=MORE, fate=FATES)
    def extend(self, name: str, more: Amounts, fate: Fate) -> None:
        """In the period it was held in."""
        if call := self.under_way(name):
            number = self.owner[name]
            self.spared = name
            found = self.try_to(self.nodes[number].extend(name, more), number, fate)
            self.spared = ""
            if found is not None and not isinstance(found, Denied):
                call.taken.append((self.clock.now(), more))

    @rule(name=calls, percent=st.sampled_from((0, 10, 50, 100)))
    def settle(self, name: str, percent: int) -> None:
        """What it took counts; the rest is free, for the others too once it is told."""
        if call := self.under_way(name):
            held = call.held()
            actual = Amounts(1, held.input_tokens * percent // 100, held.output_tokens, held.cost * percent // 100)
            self.end(name, call, actual)
            number = self.owner[name]
            self.nodes[number].ledger.settle(name, actual, self.unwritten[number][-1])

    def end(self, name: str, call: Call, actual: Amounts) -> None:
        now = self.clock.now()
        call.end(actual, now)
        settled = record(
            name,
            at=call.at,
            ended_after=now - call.at,
            input_tokens=actual.input_tokens,
            output_tokens=actual.output_tokens,
            cost=actual.cost,
        )
        self.unwritten[self.owner[name]].append(settled)

    @rule(name=calls)
    def void(self, name: str) -> None:
        """All is given back."""
        if call := self.under_way(name):
            self.nodes[self.owner[name]].ledger.void(name)
            call.end(NOTHING, self.clock.now())

    def some_end(self, number: int) -> None:
        """While something is said: one call that is void, and one that took all that it held."""
        under_way = (name for name, call in self.model.calls.items() if call.under_way and name != self.spared)
        mine = [name for name in under_way if self.owner[name] == number]
        for name in mine[:1]:
            self.void(name)
        for name in mine[1:2]:
            self.settle(name, 100)

    @rule(number=st.integers(0, NODES - 1))
    def what_was_late_is_heard(self, number: int) -> None:
        """Said long ago, and nobody waits for the answer."""
        link = self.links[number]
        late, link.late = link.late, []
        for pipeline in late:
            self.run(pipeline.execute(raise_on_error=False))

    @rule(number=st.integers(0, NODES - 1), name=st.sampled_from(NAMES), times=st.integers(1, 3), fate=FATES)
    def borrow_ahead(self, number: int, name: str, times: int, fate: Fate) -> None:
        """More than a call needs now."""
        amounts = Amounts(requests=times, input_tokens=5 * times, cost=5 * times)
        self.try_to(self.nodes[number].borrow([CAPS[name]], amounts), number, fate)

    @rule(number=st.integers(0, NODES - 1), fate=FATES)
    def beat(self, number: int, fate: Fate) -> None:
        """What was used is told, what is not needed given back."""
        node = self.nodes[number]
        self.try_to(node.borrowing.tell(node.shares), number, fate)

    @rule(number=st.integers(0, NODES - 1), fate=FATES)
    def look(self, number: int, fate: Fate) -> None:
        """Which generation counts."""
        self.try_to(self.nodes[number].generations.look(), number, fate)

    @rule(number=st.integers(0, NODES - 1))
    def records_are_written(self, number: int) -> None:
        """A batch reaches the database."""
        self.write(number)

    @rule(seconds=st.sampled_from((0.001, 0.5, 0.9, 20, 29, 39, 60, 3_600, 43_200)))
    def time_passes(self, seconds: float) -> None:
        """Windows slide, days end, leases run out."""
        self.clock.pass_s(seconds)

    @rule(number=st.integers(0, NODES - 1))
    def kill(self, number: int) -> None:
        """Its successor finds its journal: what was sent counts as held, and a new generation begins."""
        for name, call in self.model.calls.items():
            if call.under_way and self.owner[name] == number:
                self.end(name, call, call.held())
        self.write(number)
        self.nodes[number] = self.started(number)
        self.run(self.nodes[number].generations.end())

    @rule()
    def redis_is_emptied(self) -> None:
        """All that it knew is gone."""
        self.run(self.redis.flushall())

    @rule()
    def functions_are_flushed(self) -> None:
        """They are loaded again."""
        self.run(self.redis.function_flush("SYNC"))

    @invariant()
    def no_cap_is_exceeded(self) -> None:
        """By what was let in and what was used, of all processes together."""
        for each in ALLOWANCES:
            least, _ = self.model.bounds(each, self.clock.now())
            assert least <= each.cap, f"{each.id}: {least} of {each.cap}"

    @invariant()
    def no_more_is_lent_than_there_is(self) -> None:
        """By the authority's own books; but for sliding windows: what was given back leaves them sooner than what it
        gave back, and what they are given from the usage records stays longer."""
        for name, found in self.run(self.books()).items():
            if CAPS[name].window.kind is WindowKind.SLIDING:
                continue
            cap = CAPS[name].cap
            assert found <= cap, f"{name}: {found} of {cap} are settled and lent"

    async def books(self) -> dict[str, int]:
        found: dict[str, int] = {}
        async for key in self.redis.scan_iter("headgate:{*}:*"):
            name = key.decode().split(":", 2)[2].split("|")[0]
            kept = await self.redis.hgetall(key)
            found[name] = max(found.get(name, 0), int(kept.get(b"settled", 0)) + int(kept.get(b"lent", 0)))
        return found

    def teardown(self) -> None:
        self.everything_comes_back()
        self.run(self.redis.aclose())
        self.loop.close()

    def everything_comes_back(self) -> None:
        """Once all calls are over and all has been told, what is left can be had by anybody."""
        for name, call in self.model.calls.items():
            if call.under_way:
                self.nodes[self.owner[name]].ledger.void(name)
                call.end(NOTHING, self.clock.now())
        for _ in range(2):
            for number, node in enumerate(self.nodes):
                self.try_to(node.generations.look(), number)
        self.clock.pass_s(1)
        for number, node in enumerate(self.nodes):
            node.borrowing.patience_s = 5
            self.try_to(node.borrowing.tell(node.shares), number)
        for number, node in enumerate(self.nodes):
            flying = CAPS["flying"]
            held = self.run(node.hold(f"last {number}", [flying], Amounts()))
            assert isinstance(held, Held), held


def test_no_cap_is_exceeded_by_many(valkey: Valkey) -> None:
    """Processes that borrow, die, are cut off and have wrong clocks; an authority that forgets."""
    Nodes.url = valkey.url
    run_state_machine_as_test(Nodes, settings=settings(max_examples=60, stateful_step_count=40, deadline=None))
