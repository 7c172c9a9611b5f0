"""Who may hold something of shared allowances: from the first word of a process until it is accounted for."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlalchemy import update

from headgate.base.errors import Conflict, NotFound, Unavailable
from headgate.ledger.allowance import Allowance, Amounts, Resource
from headgate.ledger.hold import Held
from headgate.storage.database import Database
from headgate.storage.process_tables import process
from headgate.storage.processes import ALIVE, Processes
from headgate.storage.shares.authority import SOURCE
from headgate.storage.shares.membership import Membership, let_go
from tests.storage.conftest import database, database_url, empty_database
from tests.support.borrowers import Borrower, reported
from tests.support.ledger import KeptEntries, ManualClock, allowance
from tests.support.services import postgres_url
from tests.support.sharing import looked
from tests.support.valkey import Valkey, valkey_server

__all__ = ["database", "database_url", "empty_database", "postgres_url"]

BUDGET = allowance("budget", Resource.COST, 100)
LOST_AFTER = 600 * 10**9


@pytest.fixture
def authority() -> Iterator[Valkey]:
    with valkey_server() as server:
        yield server


class World:
    """One database, one authority, and processes that come and go."""

    def __init__(self, database: Database, redis: Any) -> None:
        self.processes = Processes(database)
        self._database = database
        self._redis = redis
        self.notes: list[tuple[str, str]] = []
        self.memberships: dict[str, Membership] = {}

    async def born(self, name: str, disk: str) -> tuple[Borrower, Membership]:
        async def past(allowances: Sequence[Allowance]) -> dict[str, Sequence[tuple[int, int]]]:
            return {}

        async def written() -> None:
            """There is nothing."""

        members = self.processes.members
        made = Borrower(name, self._redis, ManualClock(), KeptEntries(), past, members, written, SOURCE)
        membership = Membership(
            self.processes, made.generations, disk, f"host:{disk}", LOST_AFTER, self._note, reported
        )
        await membership.join()
        self.memberships[name] = membership
        await membership.beat()
        await made.generations.look()
        return made, membership

    async def beat(self, *names: str) -> None:
        """Each of these twice: what one asks, the others answer with their next."""
        for _ in range(2):
            for name in names:
                await self.memberships[name].beat()

    async def emptied(self) -> None:
        """The authority has lost its data."""
        await self._redis.flushall()

    def _note(self, sentence: str, process_id: str) -> None:
        self.notes.append((sentence, process_id))

    async def unseen(self, name: str, nanos: int) -> None:
        """As if it had been seen so long ago for the last time."""
        statement = update(process).where(process.c.id == name).values(seen_at=process.c.seen_at - nanos)
        await self._database.write(lambda connection: connection.execute(statement))

    async def pass_s(self, seconds: int) -> None:
        """So much later for the database."""
        earlier = {each.name: each - seconds * 10**9 for each in (process.c.started_at, process.c.seen_at)}
        await self._database.write(lambda connection: connection.execute(update(process).values(earlier)))


@pytest.fixture
async def world(database: Database, authority: Valkey) -> AsyncIterator[World]:
    redis = Redis.from_url(authority.url)
    yield World(database, redis)
    await redis.aclose()


async def holds(node: Borrower, name: str, cost: int) -> bool:
    return isinstance(await node.hold(name, [BUDGET], Amounts(cost=cost)), Held)


async def test_a_process_that_died_is_charged_until_its_successor_has_its_journal(world: World) -> None:
    """What it had borrowed is nobody's, until the next process on its disk is there: then it is everybody's."""
    one, _ = await world.born("one", "disk 1")
    two, _ = await world.born("two", "disk 2")
    assert await holds(one, "call", 60)
    assert not await holds(two, "too much", 50)
    again, _ = await world.born("one again", "disk 1")
    await world.beat("two", "one again")
    assert [each.id for each in await world.processes.all()] == ["two", "one again"]
    await looked(again, two)
    two.clock.pass_s(1)  # type: ignore[attr-defined]
    assert await holds(two, "fits", 50)


async def test_nothing_stands_still_while_one_is_dead_and_another_comes_back(world: World) -> None:
    """What the dead had borrowed stays lent until all are back; all else is lent as ever, meanwhile too."""
    one, _ = await world.born("one", "disk 1")
    two, _ = await world.born("two", "disk 2")
    three, _ = await world.born("three", "disk 3")
    assert await holds(one, "call", 30)
    assert await holds(two, "call", 30)
    generations = list(three.generations.current)
    await world.unseen("two", ALIVE)
    one_again, _ = await world.born("one again", "disk 1")
    await world.beat("three", "one again")
    assert world.notes == [("what dead processes had borrowed stays lent: one is missing; last seen 60 s ago", "two")]
    await three.generations.look()
    assert (three.generations.current, three.generations.whole) == (generations, True)
    assert not await holds(three, "too much", 41)
    assert await holds(three, "the rest", 40)
    two_again, _ = await world.born("two again", "disk 2")
    await world.beat("three", "one again", "two again")
    await looked(one_again, two_again, three)
    assert three.generations.current != generations
    assert await world.processes.members() == ["three", "one again", "two again"]
    three.clock.pass_s(1)  # type: ignore[attr-defined]
    assert await holds(three, "what they had", 60)


async def test_who_is_missing_while_nothing_is_lent_is_named(world: World) -> None:
    """The authority has lost its data, and one process is dead: what it spent nobody knows, so nothing is lent until it
    is back or was given up. Who that is, is said once."""
    one, _ = await world.born("one", "disk 1")
    two, membership = await world.born("two", "disk 2")
    assert await holds(one, "call", 30)
    await world.emptied()
    await world.unseen("one", ALIVE)
    await two.generations.look()
    two.borrowing.patience_s = 0.05
    with pytest.raises(Unavailable, match="is being rebuilt"):
        await holds(two, "any", 1)
    for _ in range(2):
        await membership.beat()
    [(sentence, name)] = world.notes
    assert ("nothing is lent" in sentence, name) == (True, "one")
    await let_go(world.processes, two.generations, ["one"])
    await looked(two)
    assert two.generations.waits_for == frozenset()
    assert await holds(two, "fits", 100)


async def test_all_died_at_once(world: World) -> None:
    """Nobody waits for one whose successor is there."""
    one, _ = await world.born("one", "disk 1")
    two, _ = await world.born("two", "disk 2")
    assert await holds(one, "call", 60)
    assert await holds(two, "call", 40)
    fresh, _ = await world.born("one again", "disk 1")
    other, _ = await world.born("two again", "disk 2")
    await world.beat("one again", "two again")
    assert [each.id for each in await world.processes.all()] == ["one again", "two again"]
    await looked(fresh, other)
    assert await holds(fresh, "all of it", 100)


async def test_one_that_is_not_seen_for_long_is_given_up(world: World) -> None:
    """Once no call that it let in can still be under way, and no sooner; that is said."""
    one, _ = await world.born("one", "disk 1")
    two, membership = await world.born("two", "disk 2")
    assert await holds(one, "call", 60)
    await world.unseen("one", LOST_AFTER - 10 * 10**9)
    await membership.beat()
    assert await world.processes.members() == ["one", "two"]
    await world.unseen("one", 10 * 10**9)
    await membership.beat()
    assert await world.processes.members() == ["two"]
    [(sentence, name)] = world.notes
    assert ("was lost" in sentence, name) == (True, "one")
    await two.generations.look()
    assert await holds(two, "fits", 100)


async def test_one_that_was_given_up_and_is_back_tells_what_it_holds(world: World) -> None:
    """It counts again; what it had borrowed and did not use it has no more."""
    one, first = await world.born("one", "disk 1")
    two, membership = await world.born("two", "disk 2")
    assert await holds(one, "call", 60)
    await world.unseen("one", LOST_AFTER)
    await membership.beat()
    await two.generations.look()
    one.clock.pass_s(LOST_AFTER / 10**9)  # type: ignore[attr-defined]
    await first.beat()
    assert world.notes[-1] == ("this process was given up, and is back", "one")
    await one.generations.look()
    assert await world.processes.members() == ["two", "one"]
    assert not await holds(two, "too much", 41)
    assert await holds(two, "the rest", 40)


async def test_one_is_given_up_by_hand(world: World) -> None:
    """Not while it may be alive."""
    one, _ = await world.born("one", "disk 1")
    two, _ = await world.born("two", "disk 2")
    assert await holds(one, "call", 60)
    with pytest.raises(Conflict, match="Stop it first"):
        await world.processes.dead("one")
    with pytest.raises(NotFound):
        await world.processes.dead("nobody")
    await world.unseen("one", ALIVE)
    await let_go(world.processes, two.generations, [(await world.processes.dead("one")).id])
    await two.generations.look()
    assert await holds(two, "fits", 100)


async def test_one_that_leaves_has_given_back_everything(world: World) -> None:
    """Then nobody knows it any more, and nothing has to be rebuilt."""
    one, membership = await world.born("one", "disk 1")
    two, _ = await world.born("two", "disk 2")
    assert await holds(one, "call", 60)
    one.ledger.void("call")
    generations = list(two.generations.current)
    await one.borrowing.close()
    await membership.leave()
    assert await world.processes.members() == ["two"]
    assert await holds(two, "fits", 100)
    assert two.generations.current == generations


async def test_nobody_is_taken_for_dead_whose_disk_was_cloned(world: World) -> None:
    """Where a clone of a whole disk is used beside it, both are members, nobody ends the other's generations for long,
    and that is said."""
    one, _ = await world.born("one", "disk 1")
    await world.pass_s(2)
    clone, _ = await world.born("clone", "disk 1")
    for _ in range(2):
        for name in ("one", "clone"):
            await world.pass_s(2)
            await world.memberships[name].beat()
    assert await world.processes.members() == ["clone", "one"]
    assert {name for sentence, name in world.notes if "a copy of this" in sentence} == {"one", "clone"}
    await looked(one, clone)
    generations = list(one.generations.current)
    for name in ("one", "clone"):
        await world.pass_s(2)
        await world.memberships[name].beat()
    await looked(one, clone)
    assert one.generations.current == generations
