"""Before anything is decided on an allowance that is shared, it is known where it stands, and what time it is."""

import pytest

from headgate.base.errors import Unavailable
from headgate.ledger.allowance import Resource
from headgate.ledger.period import period_of
from headgate.storage.database import Database
from headgate.storage.restoring import Restoring
from headgate.storage.shares.knowing import Knowing
from headgate.storage.shares.server_clock import ServerClock
from headgate.storage.usage_writer import UsageWriter
from tests.storage.conftest import database, database_url, empty_database
from tests.support.borrowers import Borrower, reported
from tests.support.house import House, cut_once, house, valkey
from tests.support.ledger import DAY, NOON, KeptEntries, ManualClock, allowance
from tests.support.services import postgres_url

__all__ = ["database", "database_url", "empty_database", "house", "postgres_url", "valkey"]

TODAY = allowance("today", Resource.COST, 100, DAY)


async def test_no_period_begins_by_a_machine_s_own_clock(house: House, database: Database) -> None:
    """It may be a day ahead, and the authority away while the process starts: its period is that of all the others."""
    machine = ManualClock(NOON + 86_400 * 10**9)
    clock = ServerClock(machine)

    async def written() -> None:
        """There is nothing."""

    async def members() -> list[str]:
        return ["one", "two", "three"]

    three = Borrower("three", house.redis, clock, KeptEntries(), house.one.borrowing._past, members, written)
    writer = UsageWriter(database, on_written=lambda ids: None, on_failure=reported)
    knowing = Knowing(Restoring(database, three.ledger, writer, clock, 60.0))
    knowing.borrowing = three.borrowing
    cut_once(three, "look", heard=False)
    with pytest.raises(Unavailable):
        await knowing([TODAY])
    await knowing([TODAY])
    assert three.shares.share(TODAY).start == period_of(DAY, NOON).start
