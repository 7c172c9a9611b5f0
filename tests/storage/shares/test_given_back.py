"""A request that is given back after it has left its window is nobody's: its place was given to others meanwhile."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest
from redis.asyncio import Redis

from headgate.ledger.allowance import Allowance, Amounts, Resource, Window, WindowKind
from headgate.ledger.hold import Denied, Held
from tests.support.borrowers import Borrower, set_clock
from tests.support.ledger import KeptEntries, ManualClock, allowance
from tests.support.valkey import Valkey, valkey

__all__ = ["valkey"]

TWO_A_MINUTE = [allowance("two a minute", Resource.REQUESTS, 2, Window(WindowKind.SLIDING, seconds=60))]


class House:
    """Two processes, and one clock for them and their authority."""

    def __init__(self, redis: Any) -> None:
        self._redis = redis
        self.clock = ManualClock()
        self.one, self.two = (
            Borrower(name, redis, self.clock, KeptEntries(), self._past, self._members, self._written)
            for name in ("one", "two")
        )

    async def _past(self, allowances: Sequence[Allowance]) -> Mapping[str, Sequence[tuple[int, int]]]:
        return {}

    async def _members(self) -> Sequence[str]:
        return ["one", "two"]

    async def _written(self) -> None:
        """There is nothing."""

    async def pass_s(self, seconds: float) -> None:
        self.clock.pass_s(seconds)
        await set_clock(self._redis, self.clock.now())


@pytest.fixture
async def house(valkey: Valkey) -> AsyncIterator[House]:
    redis = Redis.from_url(valkey.url)
    await redis.flushall()
    made = House(redis)
    await made.pass_s(0)
    for _ in range(2):
        for node in (made.one, made.two):
            await node.generations.look()
    yield made
    await redis.aclose()


@pytest.mark.parametrize("when", ["before it is told of", "while it is told of", "after it was told of"])
async def test_its_place_is_not_had_twice(house: House, when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the process says to the authority, and hears of it, in that moment."""
    one, two = house.one, house.two
    assert isinstance(await one.hold("long", TWO_A_MINUTE, Amounts()), Held)
    await one.borrowing.tell(one.shares)
    await house.pass_s(61)
    for name in ("first", "second"):
        assert isinstance(await two.hold(name, TWO_A_MINUTE, Amounts()), Held)
    await two.borrowing.tell(two.shares)

    sync = one.authority.sync

    async def voided_meanwhile(*arguments: Any) -> Any:
        answers = await sync(*arguments)
        one.ledger.void("long")
        return answers

    if when == "before it is told of":
        one.ledger.void("long")
    with monkeypatch.context() as patched:
        if when == "while it is told of":
            patched.setattr(one.authority, "sync", voided_meanwhile)
        await one.borrowing.refresh(TWO_A_MINUTE)
    if when == "after it was told of":
        one.ledger.void("long")
    assert isinstance(await one.hold("too much", TWO_A_MINUTE, Amounts()), Denied)
    await house.pass_s(61)
    assert isinstance(await one.hold("in time", TWO_A_MINUTE, Amounts()), Held)


async def test_what_is_given_back_leaves_with_what_it_gives_back(house: House) -> None:
    """A request that is given back long after it was told of takes nothing from those that came after it."""
    one, two = house.one, house.two
    assert isinstance(await one.hold("void", TWO_A_MINUTE, Amounts()), Held)
    await one.borrowing.tell(one.shares)
    await house.pass_s(20)
    one.ledger.void("void")
    assert isinstance(await one.hold("counts", TWO_A_MINUTE, Amounts()), Held)
    await one.borrowing.tell(one.shares)
    await house.pass_s(41)
    assert isinstance(await two.hold("fits", TWO_A_MINUTE, Amounts()), Held)
    assert isinstance(await two.hold("too much", TWO_A_MINUTE, Amounts()), Denied)
