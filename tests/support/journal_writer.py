"""A process that journals calls as fast as it can, until it is killed: `python -m tests.support.journal_writer DIR`.

Prints a line for what may be relied on: `sent ID` once a dispatch is on disk, `settled ID COST` once a settlement is.
"""

import os
import sys
from pathlib import Path

from headgate.base.clock import SystemClock
from headgate.ledger.allowance import Amounts, Resource
from headgate.ledger.ledger import LocalLedger
from headgate.storage.journal import FileJournal
from tests.support.ledger import allowance, record


def main(directory: Path) -> None:
    journal, _ = FileJournal.open(directory, segment_bytes=20_000)
    ledger = LocalLedger(SystemClock(), journal)
    budget = allowance("budget", Resource.COST, 10**15)
    settled: list[str] = []
    number = 0
    while True:
        number += 1
        name = f"call-{number}"
        ledger.hold(name, [budget], Amounts(cost=1_000))
        ledger.dispatch(name, record(name))
        # all that was settled before went to disk with the dispatch
        tell([f"sent {name}", *settled])
        settled = []
        if number % 3 == 0:
            ledger.settle(f"call-{number - 1}", Amounts(cost=number), record(f"call-{number - 1}", cost=number))
            settled.append(f"settled call-{number - 1} {number}")
        if number % 50 == 0:
            journal.checkpoint([f"call-{each - 1}" for each in range(3, number - 60, 3)])


def tell(lines: list[str]) -> None:
    os.write(1, "".join(f"{line}\n" for line in lines).encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
