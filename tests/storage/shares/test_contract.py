"""A ledger on borrowed shares keeps the contract of every ledger."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test
from redis.asyncio import Redis

from headgate.ledger.allowance import Allowance
from headgate.ledger.balance import PastUse
from headgate.ledger.counters import _begin
from headgate.ledger.ledger import LocalLedger
from headgate.storage.journal import FileJournal
from tests.ledger.contract import NAMES, LedgerContract, Opened
from tests.support.borrowers import Blocking, Borrower
from tests.support.ledger import ManualClock
from tests.support.valkey import Valkey, valkey

__all__ = ["valkey"]


PATIENCE_S = 60.0
"""What is promised here does not depend on how busy the machine is."""


class Borrowing(LedgerContract):
    """Alone with an authority: what it borrows is what its calls need. A restart is a process of its own."""

    url: str

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.redis = Redis.from_url(self.url)
        self.loop.run_until_complete(self.redis.flushall())
        self.starts = 0
        super().__init__()

    def opened(self, directory: Path, clock: ManualClock, past_use: PastUse) -> Opened:
        journal, replay = FileJournal.open(directory, segment_bytes=2_000, max_bytes=10_000_000)
        self.starts += 1
        name = f"node {self.starts}"

        async def past(allowances: Sequence[Allowance]) -> Mapping[str, Sequence[tuple[int, int]]]:
            return {each.id: list(past_use(each, _begin(each, clock.now()))) for each in allowances}

        async def members() -> Sequence[str]:
            return [name]

        async def written() -> None:
            self.records_are_written(len(self.unwritten))

        borrower = Borrower(name, self.redis, clock, journal, past, members, written)
        borrower.borrowing.patience_s = PATIENCE_S
        self.blocking = Blocking(self.loop, self.redis, borrower)
        self.blocking.run(borrower.generations.end())  # what the one before held is in the usage records now
        return Opened(cast(LocalLedger, self.blocking), journal, replay)

    @rule(name=st.sampled_from(NAMES))
    def reset(self, name: str) -> None:
        """Names another allowance, which is for who loads policies."""

    @rule(name=st.sampled_from(NAMES))
    def set_again(self, name: str) -> None:
        """The same."""

    @rule(name=st.sampled_from(NAMES))
    def remove(self, name: str) -> None:
        """The same."""

    @rule()
    def beat(self) -> None:
        """What was used is told, what is not needed given back."""
        self.blocking.run(self.blocking.borrower.borrowing.tell(self.blocking.borrower.shares))

    def teardown(self) -> None:
        super().teardown()
        self.loop.run_until_complete(self.redis.aclose())
        self.loop.close()


def test_the_guarantees_hold_after_every_step(valkey: Valkey) -> None:
    """Hold, extend, settle, void, edit, roll over, write, forget, crash and restart, in any order."""
    Borrowing.url = valkey.url
    run_state_machine_as_test(Borrowing, settings=settings(max_examples=60, stateful_step_count=40, deadline=None))
