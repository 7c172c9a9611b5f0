"""Joining a generation takes several words to the authority; each of them may be lost, and is said again."""

import pytest

from headgate.base.errors import Unavailable
from headgate.ledger.allowance import Amounts, Resource
from tests.support.borrowers import Borrower
from tests.support.house import House, cut_once, house, let_in, valkey
from tests.support.ledger import MINUTE, allowance, record

__all__ = ["house", "valkey"]

TOKENS = allowance("tokens", Resource.TOKENS, 100, MINUTE)


def settles(node: Borrower, name: str, tokens: int) -> None:
    node.ledger.settle(name, Amounts(input_tokens=tokens), record(name, input_tokens=tokens))


@pytest.mark.parametrize(("function", "heard"), [("sync", True), ("confirm", False), ("confirm", True)])
async def test_what_is_used_between_two_attempts_is_counted_once(house: House, function: str, heard: bool) -> None:
    """However often a process begins to join: no more than the cap can be had, and when all that was used has left the
    window, no less."""
    one, two = house.one, house.two
    under_way, used = {"before": 1, "between": 5, "meanwhile": 60}, 0

    def ends(name: str) -> None:
        nonlocal used
        if tokens := under_way.pop(name, 0):
            settles(one, name, tokens)
            used += tokens

    def written() -> None:
        house.past = {TOKENS.id: [(house.clock.now(), used)]}
        if len(under_way) == 1:
            ends("meanwhile")

    for name, tokens in under_way.items():
        assert await let_in(one, name, TOKENS, Amounts(input_tokens=tokens))
    ends("before")
    house.writing = written
    await house.emptied()
    cut_once(one, function, heard=heard)
    with pytest.raises(Unavailable):
        await one.generations.look()
    ends("between")
    await house.looked()
    ends("meanwhile")
    await one.borrowing.tell(one.shares)
    assert not await let_in(two, "too soon", TOKENS, Amounts(input_tokens=35))
    await house.pass_s(62)
    await one.borrowing.tell(one.shares)
    assert not await let_in(two, "too much", TOKENS, Amounts(input_tokens=101))
    assert await let_in(two, "all", TOKENS, Amounts(input_tokens=100))


async def test_a_transport_that_was_closed_a_moment_ago_is_a_lost_connection(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uvloop says so in a way of its own: what looks after generations in the background goes on, or nobody would have
    any more."""

    async def closed(calls: object) -> object:
        raise RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")

    with monkeypatch.context() as patched:
        patched.setattr(house.one.authority, "_executed", closed)
        with pytest.raises(Unavailable):
            await house.one.borrowing.look()
    await house.one.borrowing.look()
