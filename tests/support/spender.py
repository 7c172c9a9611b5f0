"""A process that spends a shared budget as fast as it may.

    python -m tests.support.spender URL NAME PEERS CALLS DOLLARS

Prints one line of JSON: nano-dollars spent, calls let in, calls that waited for a round trip, and for each refusal
whether the budget was spent. Reads a line before it begins, and one before it ends.
"""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence

from redis.asyncio import Redis

from headgate.base.clock import SystemClock
from headgate.ledger.allowance import Allowance, Amounts, Resource
from headgate.ledger.hold import Denied
from headgate.storage.shares.authority import SOURCE
from headgate.storage.shares.server_clock import ServerClock
from tests.support.borrowers import Borrower
from tests.support.ledger import KeptEntries, allowance, record

DOLLAR = 1_000_000_000
HELD, COST = 2_500_000, 1_000_000
ABREAST = 20


async def spend(url: str, name: str, peers: Sequence[str], calls: int, dollars: int) -> None:
    budget = allowance("budget", Resource.COST, dollars * DOLLAR)
    redis = Redis.from_url(url)

    async def past(allowances: Sequence[Allowance]) -> Mapping[str, Sequence[tuple[int, int]]]:
        return {}

    async def members() -> Sequence[str]:
        return peers

    async def written() -> None: ...

    node = Borrower(name, redis, ServerClock(SystemClock()), KeptEntries(), past, members, written, SOURCE)
    node.borrowing.start()
    await asyncio.to_thread(sys.stdin.readline)
    await node.borrowing.know([budget])
    spent, let_in, exhausted = 0, 0, 0

    async def caller(number: int) -> None:
        nonlocal spent, let_in, exhausted
        for call in range(calls // ABREAST):
            request_id = f"{name}-{number}-{call}"
            found = await node.hold(request_id, [budget], Amounts(cost=HELD))
            if isinstance(found, Denied):
                exhausted += found.exhausted
                await asyncio.sleep(min(found.retry_after or 0.01, 0.05))  # why: as a client does
                continue
            await asyncio.sleep(0.002)  # why: the call takes so long
            node.ledger.settle(request_id, Amounts(cost=COST), record(request_id, cost=COST))
            spent, let_in = spent + COST, let_in + 1

    await asyncio.gather(*(caller(number) for number in range(ABREAST)))
    print(json.dumps({"spent": spent, "let_in": let_in, "trips": node.borrowing.trips.waited, "exhausted": exhausted}))
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)
    await node.borrowing.close()
    await redis.aclose()


if __name__ == "__main__":
    asyncio.run(spend(sys.argv[1], sys.argv[2], sys.argv[3].split(","), int(sys.argv[4]), int(sys.argv[5])))
