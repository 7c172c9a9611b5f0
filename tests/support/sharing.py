"""Processes that share one authority over the real client, as objects in one process, and what they spend."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from headgate.ledger.allowance import Allowance, Amounts, Resource
from headgate.ledger.hold import Held
from headgate.storage.shares.address import RedisAddress
from headgate.storage.shares.authority import SOURCE
from headgate.storage.shares.connection import connect
from tests.support.borrowers import Borrower
from tests.support.ledger import KeptEntries, ManualClock, allowance, record

BUDGET = allowance("budget", Resource.COST, 100)
TIMEOUT_S = 2.0


class Records:
    """What is in the database: settled calls that were written."""

    def __init__(self) -> None:
        self.used = 0
        self.unwritten = 0

    async def past(self, allowances: Sequence[Allowance]) -> Mapping[str, Sequence[tuple[int, int]]]:
        return {each.id: [(0, self.used)] for each in allowances if self.used}

    async def written(self) -> None:
        self.used, self.unwritten = self.used + self.unwritten, 0


@asynccontextmanager
async def sharing(
    url: str,
    records: Records | None = None,
    /,
    *,
    timeout_s: float = TIMEOUT_S,
    sources: Mapping[str, str] | None = None,
    **urls: str,
) -> AsyncIterator[list[Borrower]]:
    """Processes `one` and `two`, ready to lend. `urls` by name: for whom it is another way to the same authority;
    `sources`: for whom its functions are others."""
    records, sources = records or Records(), sources or {}
    names = ("one", "two")

    async def members() -> Sequence[str]:
        return names

    async with AsyncExitStack() as closing:
        made = []
        for name in names:
            redis = connect(RedisAddress.parse(with_option(urls.get(name, url), f"socket_timeout={timeout_s}")))
            closing.push_async_callback(redis.aclose)
            source = sources.get(name, SOURCE)
            made.append(
                Borrower(name, redis, ManualClock(), KeptEntries(), records.past, members, records.written, source)
            )
        await looked(*made)
        yield made


def with_option(url: str, option: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{option}"


async def looked(*nodes: Borrower) -> None:
    """Until all have joined the generation that counts, and it is open."""
    for _ in range(2):
        for node in nodes:
            await node.generations.look()


async def held(node: Borrower, name: str, cost: int, on: Sequence[Allowance] = (BUDGET,)) -> bool:
    """Whether the call was let in. Raises `Unavailable`."""
    return isinstance(await node.hold(name, on, Amounts(cost=cost)), Held)


def settle(node: Borrower, records: Records, name: str, cost: int) -> None:
    """It is over, and its record waits for the database."""
    node.ledger.settle(name, Amounts(cost=cost), record(name, cost=cost))
    records.unwritten += cost
