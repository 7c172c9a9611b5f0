"""What others change reaches a process, and a process that no longer hears of it says so."""

import asyncio

import pytest

from headgate.base.clock import NANOS_PER_SECOND
from headgate.base.errors import Unavailable
from headgate.tenancy.following import Contact, Following
from tests.support.ledger import ManualClock


class Store:
    """Where changes are counted."""

    def __init__(self) -> None:
        self.changes = 0
        self.away = False
        self.looked = asyncio.Event()

    async def version(self) -> int:
        self.looked.set()
        if self.away:
            raise Unavailable("away")
        return self.changes


def following(store: Store, contact: Contact, clock: ManualClock, seen: list[int]) -> Following:
    async def follow(version: int) -> None:
        seen.append(version)

    return Following(store.version, (follow,), contact, clock, lambda what, error: None)


async def test_followers_hear_of_each_change_once() -> None:
    """The first look brings them up to date; one that finds nothing new asks nothing of them."""
    store, clock, seen = Store(), ManualClock(), list[int]()
    looking = following(store, Contact(clock), clock, seen)
    await looking.look()
    await looking.look()
    store.changes = 7
    await looking.look()
    assert seen == [0, 7]


async def test_contact_is_lost_and_found() -> None:
    """Not before the bound; and found only once every follower has followed."""
    store, clock, seen = Store(), ManualClock(), list[int]()
    contact = Contact(clock, lost_after_s=30)
    looking = following(store, contact, clock, seen)
    await looking.look()
    store.away = True
    clock.pass_ns(30 * NANOS_PER_SECOND)
    with pytest.raises(Unavailable):
        await looking.look()
    assert not contact.lost
    clock.pass_ns(1)
    lost: bool = contact.lost
    assert lost
    store.away, store.changes = False, 1
    await looking.look()
    assert (seen, contact.lost) == ([0, 1], False)


async def test_a_follower_that_fails_is_asked_again() -> None:
    """It has not followed, so contact is not there either."""
    store, clock = Store(), ManualClock()
    contact = Contact(clock, lost_after_s=30)
    asked: list[int] = []

    async def follow(version: int) -> None:
        asked.append(version)
        if len(asked) == 1:
            raise Unavailable("away")

    looking = Following(store.version, (follow,), contact, clock, lambda what, error: None)
    clock.pass_ns(31 * NANOS_PER_SECOND)
    with pytest.raises(Unavailable):
        await looking.look()
    assert contact.lost
    await looking.look()
    assert (asked, contact.lost) == ([0, 0], False)


async def test_it_looks_at_once_when_it_is_woken_and_after_a_failure() -> None:
    """Polling is the net below: here it would come in an hour."""
    store, clock, seen = Store(), ManualClock(), list[int]()
    store.away = True
    looking = following(store, Contact(clock), clock, seen)
    looking.start(every_s=3_600)
    try:
        await store.looked.wait()
        store.away, store.changes = False, 3
        store.looked.clear()
        looking.wake()
        await store.looked.wait()
    finally:
        await looking.close()
    assert seen == [3]
