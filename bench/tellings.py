"""What sharing costs by itself: telling what was used of a hot allowance, several times a second; and a call whose
allowances have to be borrowed for it, because its customer calls too rarely to keep a share."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from redis.asyncio import Redis

from bench.ledger import ACTUAL, BOUND, EIGHT, Nowhere
from bench.rig import cpu_seconds, table
from headgate.ledger.allowance import Allowance, Resource, Scope, Window, WindowKind
from headgate.storage.shares.authority import SOURCE
from headgate.storage.shares.borrowing import UNTOLD
from tests.support.borrowers import Borrower
from tests.support.ledger import ManualClock, record
from tests.support.valkey import Valkey, valkey_server

HOT: Final = (10, 100, 1_000)
BEATS: Final = 10
CUSTOMERS: Final = 500
WINDOWS: Final = {
    "a calendar month": Window(WindowKind.CALENDAR, unit="month"),
    "a sliding minute": Window(WindowKind.SLIDING, seconds=60),
}
PER_SECOND: Final = 10**9 / UNTOLD


def tellings(*, quick: bool = False) -> list[list[object]]:
    """The table's rows: window, hot allowances in one process, CPU of Valkey and of the process for each telling, and
    how much of a core that is."""
    rows: list[list[object]] = []
    with valkey_server() as valkey:
        for name, window in WINDOWS.items():
            for hot in HOT[:2] if quick else HOT:
                theirs, ours = asyncio.run(_told(valkey, window, hot))
                cores = (f"{100 * hot * PER_SECOND * each / 1e6:.1f} %" for each in (theirs, ours))
                rows.append([name, hot, f"{theirs:.1f}", f"{ours:.1f}", *cores])
    head = ["window", "hot allowances", "Valkey, µs", "process, µs", "of Valkey's core", "of the process's"]
    table(f"What telling costs: each hot allowance, {PER_SECOND:.1f} times a second at most", rows, head)
    return rows


def rare(*, quick: bool = False) -> list[float]:
    """CPU in microseconds for a call on eight allowances of which nothing is borrowed: Valkey's, and the process's."""
    with valkey_server() as valkey:
        found = asyncio.run(_rare(valkey, 50 if quick else CUSTOMERS))
    row = (len(EIGHT), *(f"{each:.0f}" for each in found))
    table(
        "A call of a customer who rarely calls: borrowed, used, told",
        [row],
        ["allowances", "Valkey, µs", "process, µs"],
    )
    return list(found)


async def _rare(valkey: Valkey, customers: int) -> tuple[float, float]:
    theirs = [[replace(each, id=f"{number} {each.id}") for each in EIGHT] for number in range(customers)]
    async with _borrower(valkey) as node:
        for turn in range(BEATS + 1):
            for number, allowances in enumerate(theirs):
                await _call(node, f"{turn} {number}", allowances)
            node.clock.pass_ns(UNTOLD)
            await node.borrowing.beat()
            node.clock.pass_s(2)
            if turn == 0:  # what was not there before
                begun = time.process_time(), cpu_seconds(valkey.process.pid)
        calls = BEATS * customers
        used = time.process_time() - begun[0], cpu_seconds(valkey.process.pid) - begun[1]
    return 1e6 * used[1] / calls, 1e6 * used[0] / calls


async def _told(valkey: Valkey, window: Window, hot: int) -> tuple[float, float]:
    """Microseconds of CPU a telling: Valkey's, and the process's."""
    names = map(str, range(hot))
    allowances = [Allowance(name, Scope("api_key", name), Resource.COST, window, 2**50) for name in names]
    theirs = ours = 0.0
    async with _borrower(valkey) as node:
        for turn in range(BEATS + 1):
            for each in allowances:
                await _call(node, f"{turn} {each.id}", [each])
            node.clock.pass_ns(UNTOLD)
            begun = time.process_time(), cpu_seconds(valkey.process.pid)
            await node.borrowing.beat()
            if turn:  # the first is of shares that were not there before
                ours += time.process_time() - begun[0]
                theirs += cpu_seconds(valkey.process.pid) - begun[1]
    return 1e6 * theirs / (BEATS * hot), 1e6 * ours / (BEATS * hot)


async def _call(node: "Process", name: str, allowances: Sequence[Allowance]) -> None:
    await node.hold(name, allowances, BOUND)
    node.ledger.settle(name, ACTUAL, record(name, cost=ACTUAL.cost))


class Process(Borrower):
    """Of one that is alone, on a clock that is set."""

    clock: ManualClock


@asynccontextmanager
async def _borrower(valkey: Valkey) -> AsyncIterator[Process]:
    redis = Redis.from_url(valkey.url)
    await redis.flushall()

    async def past(_: Sequence[Allowance]) -> Mapping[str, Sequence[tuple[int, int]]]:
        return {}

    async def members() -> Sequence[str]:
        return ["one"]

    async def written() -> None: ...

    node = Process("one", redis, ManualClock(), Nowhere(), past, members, written, SOURCE)
    for _ in range(2):
        await node.generations.look()
    yield node
    await redis.aclose()
