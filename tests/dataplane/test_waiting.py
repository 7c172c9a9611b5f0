"""The queues of calls that wait for room: in order, bounded, and nobody is forgotten in one."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from headgate.base.errors import Unavailable
from headgate.dataplane.exchange import ClientGone, Exchange
from headgate.dataplane.waiting import MOST_WAITING, Waiting
from headgate.ledger.allowance import Allowance, Resource
from headgate.ledger.hold import Denied
from tests.support.ledger import allowance

A, B = allowance("a", Resource.COST, 10), allowance("b", Resource.COST, 10)


def by(of: Allowance, *, held: bool = True) -> Denied:
    """What a call that does not fit is told: others hold what it needs, or it is spent."""
    return Denied(of, asked=1, left=0, exhausted=not held, retry_after=1, resets_at=None, by_calls=held)


class Line:
    """As much of an exchange as waiting takes."""

    def __init__(self) -> None:
        self.leave: Callable[[], None] = lambda: None

    def on_gone(self, callback: Callable[[], None]) -> None:
        self.leave = callback


class Room:
    """Of one allowance: how many more calls fit. `came` has who got in, in order."""

    def __init__(self, waiting: Waiting) -> None:
        self.waiting = waiting
        self.free = 0
        self.came: list[str] = []
        self.stands: dict[str, Denied] = {}

    def attempt(self, name: str, size: int) -> Denied | None:
        if (denied := self.stands.get(name)) is not None:
            return denied
        if size > self.free:
            return by(A)
        self.free -= size
        self.came.append(name)
        return None

    def begin(self, name: str, size: int = 1, within_s: float = 60, line: Line | None = None) -> asyncio.Task[Any]:
        wait = self.waiting.wait(cast(Exchange, line or Line()), by(A), within_s, lambda: self.attempt(name, size))
        return asyncio.get_running_loop().create_task(wait, name=name)

    def give(self, count: int, *of: Allowance) -> None:
        self.free += count
        self.waiting.freed(of or (A,))


@pytest.fixture
async def room() -> Room:
    return Room(Waiting())


async def begun(*tasks: asyncio.Task[Any]) -> None:
    """They stand in their queue."""
    await asyncio.sleep(0)


async def test_first_come_first_served(room: Room) -> None:
    """Whatever was freed goes to those who came first, there and then: nobody has to run for it."""
    tasks = [room.begin(name) for name in "pqrst"]
    await begun(*tasks)
    room.give(2)
    assert room.came == ["p", "q"]
    room.give(3)
    assert room.came == ["p", "q", "r", "s", "t"]
    assert await asyncio.gather(*tasks) == [None] * 5
    assert not room.waiting


async def test_a_large_one_is_not_overtaken_in_its_queue(room: Room) -> None:
    """Small ones behind it wait with it, or it would never get in."""
    tasks = [room.begin("large", 3), room.begin("small")]
    await begun(*tasks)
    room.give(2)
    assert room.came == []
    room.give(2)
    assert room.came == ["large", "small"]
    await asyncio.gather(*tasks)


async def test_who_leaves_makes_way(room: Room) -> None:
    """When the first in the queue gives up, the one behind it is looked at although nothing was freed."""
    large, small = room.begin("large", 3, within_s=0.01), room.begin("small")
    await begun(large, small)
    room.give(1)
    assert room.came == []
    assert (await large).allowance is A
    assert room.came == ["small"]
    assert await small is None


async def test_a_client_that_leaves_ends_its_wait(room: Room) -> None:
    """At once, and room that comes later goes to the next."""
    line = Line()
    gone, next_one = room.begin("gone", line=line), room.begin("next")
    await begun(gone, next_one)
    line.leave()
    with pytest.raises(ClientGone):
        await gone
    room.give(1)
    assert (room.came, await next_one) == (["next"], None)


async def test_another_allowance_may_stand_in_the_way_next(room: Room) -> None:
    """Then it waits for that one, at the place its arrival gives it, and blocks nobody here."""
    first, second = room.begin("first"), room.begin("second")
    await begun(first, second)
    room.stands["first"] = by(B)
    room.give(1)
    assert room.came == ["second"]
    del room.stands["first"]
    room.give(1, A)
    assert room.came == ["second"]
    room.give(0, B)
    assert room.came == ["second", "first"]
    assert (await first, await second) == (None, None)


async def test_what_waiting_no_longer_helps_ends(room: Room) -> None:
    """The budget was spent by others meanwhile: the denial says so."""
    task = room.begin("late")
    await begun(task)
    room.stands["late"] = by(A, held=False)
    room.give(1)
    assert (await task).exhausted
    assert not room.waiting


async def test_the_queue_is_bounded(room: Room) -> None:
    """The next one is told at once."""
    tasks = [room.begin(str(number)) for number in range(MOST_WAITING)]
    await begun(*tasks)
    assert (await room.begin("one too many")).by_calls
    room.give(MOST_WAITING)
    assert await asyncio.gather(*tasks) == [None] * MOST_WAITING


async def test_its_failure_is_its_own(room: Room) -> None:
    """A call that fails when its turn comes fails itself, not the call that made room for it."""

    def fails() -> Denied | None:
        raise Unavailable("the disk is full")

    failing = asyncio.get_running_loop().create_task(room.waiting.wait(cast(Exchange, Line()), by(A), 60, fails))
    behind = room.begin("behind")
    await begun(failing, behind)
    room.give(1)
    with pytest.raises(Unavailable):
        await failing
    assert await behind is None


async def test_a_turn_that_comes_with_the_deadline_is_kept(room: Room) -> None:
    """What it holds by then is its own: it goes on, and does not leave a hold behind."""
    task = room.begin("close", within_s=0.005)
    await begun(task)
    asyncio.get_running_loop().call_later(0.005, room.give, 1)
    came = await task
    assert (came is None) == (room.came == ["close"])


async def test_a_cancelled_wait_is_over(room: Room) -> None:
    """And its place is the next one's."""
    cancelled, behind = room.begin("cancelled", 2), room.begin("behind")
    await begun(cancelled, behind)
    room.give(1)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert (await behind, room.came) == (None, ["behind"])
