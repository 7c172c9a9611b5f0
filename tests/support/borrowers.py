"""Processes that share allowances, as objects in one process, on a real Valkey whose clock is a test's."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from headgate.base.clock import Clock
from headgate.ledger.allowance import Allowance, Amounts
from headgate.ledger.balance import Balance
from headgate.ledger.borrowed import BorrowedShares
from headgate.ledger.hold import Denied, Held
from headgate.ledger.journal import Journal
from headgate.ledger.ledger import LocalLedger
from headgate.storage.shares.authority import SOURCE, Authority
from headgate.storage.shares.borrowing import Borrowing
from headgate.storage.shares.generations import Generations
from headgate.storage.shares.server_clock import ServerClock

_TIME = """  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])"""
assert _TIME in SOURCE
SOURCE_WITH_CLOCK = SOURCE.replace(_TIME, "  return tonumber(redis.call('GET', 'clock'))")
"""The functions, with a clock that `set_clock` sets."""


async def set_clock(redis: Any, wall: int) -> None:
    await redis.set("clock", wall // 1000)


def reported(what: str, error: BaseException) -> None:
    raise AssertionError(what) from error


class Borrower:
    """One process: its ledger, and how it borrows. Nothing happens in the background."""

    def __init__(
        self,
        name: str,
        redis: Any,
        clock: Clock,
        journal: Journal,
        past: Callable[[Sequence[Allowance]], Awaitable[Mapping[str, Sequence[tuple[int, int]]]]],
        members: Callable[[], Awaitable[Sequence[str]]],
        written: Callable[[], Awaitable[None]],
        source: str = SOURCE_WITH_CLOCK,
    ) -> None:
        self.name = name
        self.clock = clock
        self.shares = BorrowedShares()
        self.ledger = LocalLedger(clock, journal, shares=self.shares)
        server_clock = clock if isinstance(clock, ServerClock) else None
        self.authority = Authority(redis, clock, server_clock, source)
        self.generations = Generations(name, self.shares, self.authority, members, written, clock)
        self.borrowing = Borrowing(self.ledger, self.shares, self.authority, self.generations, past, clock, reported)

    async def hold(self, request_id: str, allowances: Sequence[Allowance], amounts: Amounts) -> Held | Denied:
        """As the data plane does it."""
        await self.borrowing.hear()
        found = self.ledger.hold(request_id, allowances, amounts)
        while isinstance(found, Denied):
            enough = await self.borrowing.borrow(allowances, amounts)
            if enough is None:
                break
            found = self.ledger.hold(request_id, allowances, amounts)
            if not enough:
                break
        return found

    async def borrow(self, allowances: Sequence[Allowance], amounts: Amounts) -> None:
        """Without a call that needs it."""
        await self.borrowing.hear()
        await self.borrowing.borrow(allowances, amounts)

    async def extend(self, request_id: str, more: Amounts) -> Held | Denied:
        found = self.ledger.extend(request_id, more)
        while isinstance(found, Denied):
            enough = await self.borrowing.borrow_more(request_id, more)
            if enough is None:
                break
            found = self.ledger.extend(request_id, more)
            if not enough:
                break
        return found


class Blocking:
    """The same, for those who know nothing of event loops."""

    def __init__(self, loop: asyncio.AbstractEventLoop, redis: Any, borrower: Borrower) -> None:
        self._loop = loop
        self._redis = redis
        self.borrower = borrower
        self.ledger = borrower.ledger
        self.dispatch = self.ledger.dispatch
        self.settle = self.ledger.settle
        self.void = self.ledger.void
        self.forget_idle = self.ledger.forget_idle

    def __len__(self) -> int:
        return len(self.ledger)

    def run(self, coroutine: Any) -> Any:
        async def at_this_time() -> Any:
            await set_clock(self._redis, self.borrower.clock.now())
            return await coroutine

        return self._loop.run_until_complete(at_this_time())

    def hold(self, request_id: str, allowances: Sequence[Allowance], amounts: Amounts) -> Held | Denied:
        found: Held | Denied = self.run(self.borrower.hold(request_id, allowances, amounts))
        return found

    def extend(self, request_id: str, more: Amounts) -> Held | Denied:
        found: Held | Denied = self.run(self.borrower.extend(request_id, more))
        return found

    def balances(self, allowances: Sequence[Allowance]) -> list[Balance]:
        self.run(self.borrower.borrowing.refresh(allowances))
        return self.ledger.balances(allowances)
