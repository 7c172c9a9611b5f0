"""What borrowed shares do when the network to the authority fails: cut, mute one way, late, held up."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest
from redis.asyncio import Redis

from headgate.base.errors import Unavailable
from headgate.ledger.allowance import Amounts
from headgate.ledger.hold import Denied, Held
from headgate.storage.shares.authority import AuthorityAway
from tests.support.borrowers import Borrower
from tests.support.fault_proxy import FaultProxy, fault_proxy
from tests.support.ledger import ManualClock, record
from tests.support.sharing import BUDGET, held, sharing
from tests.support.valkey import Valkey, valkey

__all__ = ["valkey"]

TIMEOUT_S = 0.1
LATE_S = 3 * TIMEOUT_S


@asynccontextmanager
async def one_far_away(server: Valkey) -> AsyncIterator[tuple[FaultProxy, Borrower, Borrower]]:
    """The first process reaches the authority through the proxy; it has borrowed 40, and 30 of that are free again."""
    async with fault_proxy(server.port) as proxy:
        far = f"redis://127.0.0.1:{proxy.port}/0"
        async with sharing(server.url, timeout_s=TIMEOUT_S, one=far) as (one, two):
            await one.authority.close()  # a connection of its own for what follows
            assert await held(one, "first", 40)
            one.ledger.settle("first", Amounts(cost=10), record("first", cost=10))
            yield proxy, one, two


@pytest.fixture(autouse=True)
async def emptied(valkey: Valkey) -> None:
    """The server is all tests' of this process."""
    redis = Redis.from_url(valkey.url)
    await redis.flushall()
    await redis.aclose()


async def away(node: Borrower, name: str, cost: int) -> None:
    with pytest.raises(AuthorityAway):
        await held(node, name, cost)


def passed(*nodes: Borrower) -> None:
    """So much time that no refusal is remembered."""
    for node in nodes:
        assert isinstance(node.clock, ManualClock)
        node.clock.pass_s(0.2)


async def test_cut_off_it_uses_what_it_borrowed_and_the_other_all_else(valkey: Valkey) -> None:
    """Exactly so much, each; and goes on once it is back."""
    async with one_far_away(valkey) as (proxy, one, two):
        proxy.refuse()
        assert await held(one, "second", 30)
        await away(one, "third", 1)
        assert not await held(two, "fourth", 61)
        assert await held(two, "fifth", 60)
        proxy.heal()
        two.ledger.void("fifth")
        await two.borrowing.tell(two.shares)
        passed(one)
        assert await held(one, "sixth", 60)


async def test_a_question_that_is_lost_has_lent_nothing(valkey: Valkey) -> None:
    """One way only: nobody heard it, and the other can have all that was asked for."""
    async with one_far_away(valkey) as (proxy, one, two):
        proxy.drop(down=False)
        await away(one, "second", 50)
        assert await held(two, "third", 60)
        proxy.heal()
        assert not await held(one, "fourth", 31)
        assert await held(one, "fifth", 30)


async def test_an_answer_that_is_lost_has_lent_once(valkey: Valkey) -> None:
    """The other way only: it was lent, nobody else gets it; asked again, it is the same."""
    async with one_far_away(valkey) as (proxy, one, two):
        proxy.drop(up=False)
        await away(one, "second", 50)
        assert not await held(two, "third", 41)
        assert await held(two, "fourth", 40)
        await away(one, "fifth", 50)
        proxy.heal()
        passed(one)
        assert not await held(one, "sixth", 51)
        assert await held(one, "seventh", 50)


async def only_one_is_open(proxy: FaultProxy) -> None:
    """Returns once what was late has arrived: then its connection is over."""
    for _ in range(500):
        if proxy.open == 1:
            return
        await asyncio.sleep(0.01)  # why: a server tells nobody what it heard
    raise AssertionError("it is still on its way after 5 s")


async def test_what_arrives_late_changes_nothing(valkey: Valkey) -> None:
    """A question that comes behind its successor asks for nothing any more."""
    async with one_far_away(valkey) as (proxy, one, two):
        proxy.delay(LATE_S)
        await away(one, "second", 90)
        proxy.delay(0)
        await one.borrowing.tell(one.shares)
        assert await held(two, "third", 60)
        assert proxy.open == 2
        await only_one_is_open(proxy)
        passed(one, two)
        assert not await held(one, "fourth", 31)
        assert await held(one, "fifth", 30)


async def test_a_line_that_is_held_up_is_away_and_then_as_ever(valkey: Valkey) -> None:
    """What it asked for meanwhile is lent once, however often it asked."""
    async with one_far_away(valkey) as (proxy, one, two):
        proxy.pause()
        for number in range(3):
            await away(one, f"second {number}", 50)
        proxy.heal()
        assert await held(one, "third", 50)
        assert not await held(two, "fourth", 41)
        assert await held(two, "fifth", 40)


async def test_an_authority_that_stands_still_longer_than_a_lease(valkey: Valkey) -> None:
    """SIGSTOP: what was borrowed can be used for thirty seconds, then nothing; afterwards all as ever."""
    async with sharing(valkey.url, timeout_s=TIMEOUT_S) as (one, two):
        assert await held(one, "first", 40)
        one.ledger.settle("first", Amounts(cost=10), record("first", cost=10))
        valkey.process.send_signal(signal.SIGSTOP)
        try:
            assert isinstance(one.clock, ManualClock)
            one.clock.pass_s(29)
            assert isinstance(one.ledger.hold("second", [BUDGET], Amounts(cost=10)), Held)
            one.clock.pass_s(2)
            assert isinstance(one.ledger.hold("third", [BUDGET], Amounts(cost=1)), Denied)
            await away(one, "fourth", 1)
        finally:
            valkey.process.send_signal(signal.SIGCONT)
        assert await held(two, "fifth", 60)
        assert not await held(two, "sixth", 21)
        assert await held(one, "seventh", 20)


class Storm:
    """Two processes, each behind a line of its own that fails as chance has it, and all calls that were let in."""

    def __init__(self, random: Random, nodes: list[Borrower], lines: list[FaultProxy]) -> None:
        self._random = random
        self._nodes = nodes
        self._lines = lines
        self._under_way: dict[str, tuple[Borrower, int]] = {}
        self._spent = 0
        self.let_in = self.away = 0

    async def step(self, number: int) -> None:
        node, line = self._random.choice(self._nodes), self._random.choice(self._lines)
        passed(*self._nodes)
        try:
            match self._random.randrange(12):
                case 0:
                    line.cut()
                case 1:
                    line.drop(down=False)
                case 2:
                    line.drop(up=False)
                case 3:
                    line.delay(self._random.choice((0, TIMEOUT_S / 3, LATE_S)))
                case 4 | 5:
                    line.heal()
                case 6 | 7:
                    self._end()
                case 8:
                    await node.borrowing.tell(node.shares)
                case _:
                    await self._begin(node, f"call {number}")
        except Unavailable:
            self.away += 1
        used = self._spent + sum(cost for _, cost in self._under_way.values())
        assert used <= BUDGET.cap

    async def _begin(self, node: Borrower, name: str) -> None:
        cost = self._random.choice((1, 5, 20, 60))
        if await held(node, name, cost):
            self._under_way[name] = node, cost
            self.let_in += 1

    def _end(self) -> None:
        if not self._under_way:
            return
        name = self._random.choice(list(self._under_way))
        node, cost = self._under_way.pop(name)
        actual = self._random.choice((0, 0, cost // 10))
        node.ledger.settle(name, Amounts(cost=actual), record(name, cost=actual))
        self._spent += actual

    async def calm(self) -> int:
        """All calls are over and all lines are well; what is left of the budget."""
        for line in self._lines:
            line.heal()
        while self._under_way:
            self._end()
        for node in self._nodes:
            passed(node)
            await node.borrowing.tell(node.shares)
        return BUDGET.cap - self._spent


@pytest.mark.parametrize("seed", range(4))
async def test_no_cap_is_passed_whatever_the_lines_do(valkey: Valkey, seed: int) -> None:
    """Two hundred steps of chance. In the end all that is left can be had, so nothing was lost on the way either."""
    async with fault_proxy(valkey.port) as first, fault_proxy(valkey.port) as second:
        urls = {name: f"redis://127.0.0.1:{line.port}/0" for name, line in (("one", first), ("two", second))}
        async with sharing(valkey.url, timeout_s=TIMEOUT_S / 2, sources=None, **urls) as nodes:
            for node in nodes:
                node.borrowing.patience_s = TIMEOUT_S
            storm = Storm(Random(seed), nodes, [first, second])
            for number in range(200):
                await storm.step(number)
            left = await storm.calm()
            passed(*nodes)
            assert await held(nodes[0], "the rest", left)
            assert not await held(nodes[1], "too much", 1)
            assert storm.let_in > 10
            assert storm.away > 3
