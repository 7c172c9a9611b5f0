"""The ledger of one process keeps the contract, on a journal that it is killed over again and again."""

from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from headgate.ledger.balance import PastUse
from headgate.ledger.ledger import LocalLedger
from headgate.storage.journal import FileJournal
from tests.ledger.contract import LedgerContract, Opened
from tests.support.ledger import ManualClock


class OneProcess(LedgerContract):
    """Its share is the whole cap."""

    def opened(self, directory: Path, clock: ManualClock, past_use: PastUse) -> Opened:
        journal, replay = FileJournal.open(directory, segment_bytes=2_000, max_bytes=10_000_000)
        return Opened(LocalLedger(clock, journal, past_use=past_use), journal, replay)


def test_the_guarantees_hold_after_every_step() -> None:
    """Hold, extend, settle, void, edit, remove, set again, reset, roll over, write, forget and crash, in any order."""
    run_state_machine_as_test(OneProcess, settings=settings(max_examples=60, stateful_step_count=40, deadline=None))


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_the_guarantees_hold_for_long() -> None:
    """The same, in longer and in more histories."""
    run_state_machine_as_test(OneProcess, settings=settings(max_examples=600, stateful_step_count=80, deadline=None))
