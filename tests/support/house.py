"""Two processes that share an authority, with one clock for all three, which a test moves."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import pytest
from redis.asyncio import Redis

from headgate.base.errors import Unavailable
from headgate.ledger.allowance import Allowance, Amounts
from headgate.ledger.hold import Held
from tests.support.borrowers import Borrower, set_clock
from tests.support.ledger import KeptEntries, ManualClock
from tests.support.valkey import Valkey, valkey

__all__ = ["house", "valkey"]

Late = Callable[[], Awaitable[None]]


class House:
    """Processes `one` and `two`. `past` is what usage records say, `writing` is called whenever they are written."""

    def __init__(self, redis: Any) -> None:
        self.redis = redis
        self.clock = ManualClock()
        self.past: dict[str, list[tuple[int, int]]] = {}
        self.writing: Callable[[], None] = lambda: None
        self.one, self.two = (
            Borrower(name, redis, self.clock, KeptEntries(), self._past, self._members, self._written)
            for name in ("one", "two")
        )

    async def _past(self, allowances: Sequence[Allowance]) -> Mapping[str, Sequence[tuple[int, int]]]:
        return {each.id: self.past[each.id] for each in allowances if each.id in self.past}

    async def _members(self) -> Sequence[str]:
        return ["one", "two"]

    async def _written(self) -> None:
        self.writing()

    async def pass_s(self, seconds: float) -> None:
        self.clock.pass_s(seconds)
        await set_clock(self.redis, self.clock.now())

    async def emptied(self) -> None:
        """The authority has lost its data, and has the time."""
        await self.redis.flushall()
        await self.pass_s(0)

    async def looked(self) -> None:
        """Until both have joined the generation that counts, and it is open."""
        for _ in range(2):
            for node in (self.one, self.two):
                await node.generations.look()


def cut_once(node: Borrower, function: str, *, heard: bool) -> None:
    """The next trip of this node with such a call is cut off, before it is heard or before it is answered."""
    executed = node.authority._executed

    async def cut(calls: Sequence[tuple[str, Sequence[str], Sequence[object]]]) -> list[Any]:
        if not any(name == function for name, _, _ in calls):
            return await executed(calls)
        node.authority._executed = executed  # type: ignore[method-assign]
        if heard:
            await executed(calls)
        raise ConnectionResetError("cut")

    node.authority._executed = cut  # type: ignore[method-assign]


async def let_in(node: Borrower, name: str, of: Allowance, amounts: Amounts) -> bool:
    try:
        return isinstance(await node.hold(name, [of], amounts), Held)
    except Unavailable:
        return False


@pytest.fixture
async def house(valkey: Valkey) -> AsyncIterator[House]:
    redis = Redis.from_url(valkey.url)
    await redis.flushall()
    made = House(redis)
    await made.pass_s(0)
    await made.looked()
    yield made
    await redis.aclose()
