"""Shares: where several processes share allowances, through which Redis, and how this one borrows."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from headgate.base.clock import Clock
from headgate.base.errors import Unavailable
from headgate.bootstrap.report import report
from headgate.bootstrap.scale import lost_after
from headgate.ledger.borrowed import BorrowedShares
from headgate.ledger.ledger import LocalLedger
from headgate.settings import Settings
from headgate.storage.database import Database
from headgate.storage.disk import disk_id
from headgate.storage.processes import Processes
from headgate.storage.restoring import Restoring
from headgate.storage.shares.address import RedisAddress
from headgate.storage.shares.authority import Authority, Evicts
from headgate.storage.shares.borrowing import Borrowing
from headgate.storage.shares.connection import connect
from headgate.storage.shares.generations import Generations
from headgate.storage.shares.knowing import Knowing
from headgate.storage.shares.lender import Lender
from headgate.storage.shares.membership import Membership
from headgate.storage.shares.server_clock import ServerClock

_LIFE_BYTES: Final = 8

log = structlog.get_logger("headgate")


@dataclass(frozen=True, slots=True)
class Sharing:
    """How this process borrows; `knowing` is asked before its first decision on an allowance."""

    shares: BorrowedShares
    authority: Authority
    generations: Generations
    membership: Membership
    borrowing: Borrowing
    lender: Lender
    knowing: Knowing

    async def start(self) -> None:
        """It may borrow from now on. The authority may be away: then it is looked for in the background. One that is of
        no use raises `Evicts`."""
        await self.membership.join()
        for step in (self.authority.check, self.membership.beat, self.borrowing.look):
            try:
                await step()
            except Evicts:
                raise
            except Unavailable as error:
                report("shares", error)
        self.membership.start()
        self.borrowing.start()

    async def give_back(self) -> None:
        """All that is not held."""
        await self.lender.close()
        await self.membership.close()
        try:
            await self.borrowing.close()
        except Unavailable as error:
            report("shares are not given back", error)
        await self.authority.close()

    async def leave(self, written: bool) -> None:
        """Nothing can be missing of what it used, if it holds nothing and all is `written`."""
        if written and all(share.idle for share in self.shares):
            await self.membership.leave()


def sharing_of(
    settings: Settings,
    database: Database,
    ledger: LocalLedger,
    shares: BorrowedShares,
    restoring: Restoring,
    clock: Clock,
) -> Sharing:
    """Wired together; nothing is connected yet. Raises `BadSetting` for a `redis_url` that cannot be."""
    assert settings.redis_url is not None
    server_clock = clock if isinstance(clock, ServerClock) else None
    authority = Authority(connect(RedisAddress.parse(settings.redis_url)), clock, server_clock)
    processes = Processes(database)
    node = os.urandom(_LIFE_BYTES).hex()
    generations = Generations(node, shares, authority, processes.members, restoring.all_written, clock)
    membership = Membership(
        processes,
        generations,
        disk_id(settings.data_dir),
        _place(settings.data_dir),
        lost_after(settings),
        lambda sentence, process_id: log.warning(sentence, process=process_id),
        report,
    )
    knowing = Knowing(restoring)
    borrowing = knowing.borrowing = Borrowing(ledger, shares, authority, generations, knowing.past, clock, report)
    lender = Lender(ledger, borrowing, clock, report)
    return Sharing(shares, authority, generations, membership, borrowing, lender, knowing)


def _place(data_dir: Path) -> str:
    return f"{socket.gethostname()}:{data_dir.absolute()}"
