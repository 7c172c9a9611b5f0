"""What a call turns out to have used, when it is known later: given back once, and not where the records said it."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

import pytest
from redis.asyncio import Redis

from headgate.ledger.allowance import LIFETIME, Allowance, Amounts, Resource
from headgate.ledger.hold import Held
from headgate.storage.kept_sums import Key
from headgate.storage.shares.authority import SOURCE
from tests.support.borrowers import Borrower
from tests.support.ledger import KeptEntries, ManualClock, allowance, record
from tests.support.valkey import Valkey, valkey_server

BUDGET = allowance("budget", Resource.COST, 100, LIFETIME)
PERIOD: Key = (BUDGET.id, 0)


@pytest.fixture(scope="module")
def server() -> Iterator[Valkey]:
    with valkey_server() as running:
        yield running


class Pair:
    """Two processes. `recorded` is what the usage records say."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.recorded = 0
        self.one, self.two = (
            Borrower(name, redis, ManualClock(), KeptEntries(), self._past, self._members, self._written, SOURCE)
            for name in ("one", "two")
        )

    async def _past(self, allowances: Sequence[Allowance]) -> Mapping[str, Sequence[tuple[int, int]]]:
        return {each.id: [(self.one.clock.now(), self.recorded)] for each in allowances}

    async def _members(self) -> Sequence[str]:
        return ["one", "two"]

    async def _written(self) -> None:
        """It is counted by hand."""

    async def look(self) -> None:
        for _ in range(2):
            for each in (self.one, self.two):
                await each.generations.look()

    async def use(self, node: Borrower, name: str, cost: int) -> None:
        assert isinstance(await node.hold(name, [BUDGET], Amounts(cost=cost)), Held)
        node.ledger.settle(name, Amounts(cost=cost), record(name, cost=cost))
        self.recorded += cost

    async def left(self, node: Borrower) -> int:
        for each in (self.one, self.two):
            await each.borrowing.tell(each.shares)
        await node.borrowing.refresh([BUDGET])
        [balance] = node.ledger.balances([BUDGET])
        return balance.left


@pytest.fixture
async def pair(server: Valkey) -> AsyncIterator[Pair]:
    redis = Redis.from_url(server.url)
    await redis.flushall()
    made = Pair(redis)
    await made.look()
    yield made
    await redis.aclose()


@pytest.mark.parametrize("told", [True, False], ids=["after it was told", "before it was told"])
async def test_it_is_given_back_once_whoever_used_it(pair: Pair, told: bool) -> None:
    """Told again, it changes nothing; both can spend it, and not more; whether or not the use itself is known there."""
    await pair.use(pair.one, "batch", 80)
    if told:
        assert await pair.left(pair.two) == 20
    [since] = await pair.two.authority.since([PERIOD])
    for _ in range(2):
        await pair.two.authority.correct("batch", [(PERIOD, since, -50)])
    assert await pair.left(pair.two) == 70
    assert await pair.left(pair.one) == 70
    await pair.use(pair.two, "a", 40)
    await pair.use(pair.one, "b", 30)
    assert not isinstance(await pair.one.hold("too much", [BUDGET], Amounts(cost=1)), Held)
    assert not isinstance(await pair.two.hold("too much", [BUDGET], Amounts(cost=1)), Held)


async def test_what_the_records_said_already_is_not_given_back_again(pair: Pair) -> None:
    """The authority lost its data between the correction of the record and hearing of it."""
    await pair.use(pair.one, "batch", 80)
    assert await pair.left(pair.two) == 20
    [since] = await pair.two.authority.since([PERIOD])
    pair.recorded -= 50
    await pair.redis.flushall()
    await pair.look()
    assert await pair.left(pair.two) == 70
    await pair.two.authority.correct("batch", [(PERIOD, since, -50)])
    assert await pair.left(pair.two) == 70


async def test_what_nobody_asked_for_is_read_when_somebody_does(pair: Pair) -> None:
    """There is nothing to give back to."""
    assert await pair.two.authority.since([PERIOD]) == [""]
    pair.recorded = 30
    await pair.two.authority.correct("batch", [(PERIOD, "", -50)])
    assert await pair.left(pair.two) == 70
