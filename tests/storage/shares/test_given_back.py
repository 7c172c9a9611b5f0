"""A request that is given back after it has left its window is nobody's: its place was given to others meanwhile."""

from typing import Any

import pytest

from headgate.ledger.allowance import Amounts, Resource, Window, WindowKind
from headgate.ledger.hold import Denied, Held
from tests.support.house import House, house, valkey
from tests.support.ledger import allowance

__all__ = ["house", "valkey"]

TWO_A_MINUTE = [allowance("two a minute", Resource.REQUESTS, 2, Window(WindowKind.SLIDING, seconds=60))]
THREE_A_MINUTE = [allowance("three a minute", Resource.REQUESTS, 3, Window(WindowKind.SLIDING, seconds=60))]


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


async def test_what_is_held_in_its_place_counts_from_then(house: House) -> None:
    """However soon after it: not from when that was held which was given back."""
    one, two = house.one, house.two
    await house.pass_s(0.5)
    assert isinstance(await one.hold("void", THREE_A_MINUTE, Amounts()), Held)
    assert await one.borrowing.borrow(THREE_A_MINUTE, Amounts(requests=2))
    await house.pass_s(0.9)
    one.ledger.void("void")
    assert isinstance(await one.hold("in its place", THREE_A_MINUTE, Amounts()), Held)
    await one.borrowing.tell(one.shares)
    for name in ("first", "second"):
        assert isinstance(await two.hold(name, THREE_A_MINUTE, Amounts()), Held)
    await two.borrowing.tell(two.shares)
    await house.pass_s(59.5)
    assert isinstance(await two.hold("too soon", THREE_A_MINUTE, Amounts()), Denied)
    await house.pass_s(2)
    assert isinstance(await two.hold("in time", THREE_A_MINUTE, Amounts()), Held)


async def test_what_is_heard_of_late_gives_nothing_back(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that stood still, or a network, may deliver it long after it was said: nobody can tell then whether it
    would leave the window before what it gives back."""
    one, two = house.one, house.two
    assert isinstance(await one.hold("void", TWO_A_MINUTE, Amounts()), Held)
    await one.borrowing.tell(one.shares)
    await house.pass_s(1)
    one.ledger.void("void")
    executed = one.authority._executed

    async def late(calls: Any) -> Any:
        await house.pass_s(30)
        return await executed(calls)

    with monkeypatch.context() as patched:
        patched.setattr(one.authority, "_executed", late)
        await one.borrowing.tell(one.shares)
    held = [isinstance(await two.hold(f"at 31 s {number}", TWO_A_MINUTE, Amounts()), Held) for number in range(2)]
    await two.borrowing.tell(two.shares)
    await house.pass_s(30)
    held += [isinstance(await two.hold(f"at 61 s {number}", TWO_A_MINUTE, Amounts()), Held) for number in range(2)]
    assert sum(held) == 2
