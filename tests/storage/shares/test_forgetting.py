"""An allowance that nobody asks for is forgotten by its process, and nothing it used is."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

import pytest
from redis.asyncio import Redis

from headgate.ledger.allowance import LIFETIME, Allowance, Amounts, Resource, Window, WindowKind
from headgate.ledger.hold import Held
from headgate.storage.shares.authority import SOURCE
from headgate.storage.shares.borrowing import FORGOTTEN_S
from tests.support.borrowers import Borrower
from tests.support.ledger import KeptEntries, ManualClock, allowance, record
from tests.support.valkey import Valkey, valkey_server

BUDGETS = (
    allowance("for good", Resource.COST, 100, LIFETIME),
    allowance("sliding", Resource.COST, 100, Window(WindowKind.SLIDING, seconds=7 * 86_400)),
)


@pytest.fixture
def authority() -> Iterator[Valkey]:
    with valkey_server() as server:
        yield server


@pytest.fixture
async def node(authority: Valkey) -> AsyncIterator[Borrower]:
    redis = Redis.from_url(authority.url)

    async def past(allowances: Sequence[Allowance]) -> Mapping[str, Sequence[tuple[int, int]]]:
        return {}

    async def members() -> Sequence[str]:
        return ["one"]

    async def written() -> None:
        """There is nothing."""

    made = Borrower("one", redis, ManualClock(), KeptEntries(), past, members, written, SOURCE)
    await made.generations.look()
    yield made
    await redis.aclose()


async def holds(node: Borrower, name: str, budget: Allowance, cost: int) -> bool:
    return isinstance(await node.hold(name, [budget], Amounts(cost=cost)), Held)


@pytest.mark.parametrize("budget", BUDGETS, ids=lambda each: each.id)
async def test_what_was_used_counts_when_it_is_asked_for_again(node: Borrower, budget: Allowance) -> None:
    """Neither is it free, nor is anything lent that was used before; the second time as the first."""
    for life in range(3):
        assert await holds(node, f"call {life}", budget, 30)
        node.ledger.settle(f"call {life}", Amounts(cost=20), record(f"call {life}", cost=20))
        await node.borrowing.tell(node.shares)
        node.clock.pass_s(FORGOTTEN_S + 1)  # type: ignore[attr-defined]
        await node.borrowing.look()
        assert list(node.shares) == []
        assert budget.id not in node.ledger
    assert not await holds(node, "too much", budget, 41)
    assert await holds(node, "the rest", budget, 40)


async def test_what_is_held_is_not_forgotten(node: Borrower) -> None:
    """However long the call takes."""
    assert await holds(node, "call", BUDGETS[0], 60)
    node.clock.pass_s(FORGOTTEN_S + 1)  # type: ignore[attr-defined]
    await node.borrowing.look()
    assert not await holds(node, "too much", BUDGETS[0], 41)
    node.ledger.void("call")
    node.clock.pass_s(1)  # type: ignore[attr-defined]
    assert await holds(node, "all", BUDGETS[0], 100)
