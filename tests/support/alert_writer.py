"""A process that settles calls of one key as fast as it can, until it is killed:

    python -m tests.support.alert_writer DATABASE_URL ORGANIZATION WORKSPACE KEY

Prints a line for each batch that is committed.
"""

import asyncio
import os
import sys
from functools import partial

import msgspec

from headgate.base.clock import NANOS_PER_SECOND
from headgate.ledger.record import UsageRecord
from headgate.storage.alert_rows import AlertedRows
from headgate.storage.database import open_database
from tests.support.administration import MovedClock
from tests.support.ledger import record

CALLS = 400
BATCH = 4


def calls(organization_id: str, workspace_id: str, key_id: str) -> list[UsageRecord]:
    """Always the same, at a dollar each."""
    made = [record(f"req_{number:06}", at=MovedClock().now(), cost=NANOS_PER_SECOND) for number in range(CALLS)]
    owners = {"organization_id": organization_id, "workspace_id": workspace_id, "key_id": key_id}
    return [msgspec.structs.replace(each, **owners) for each in made]


async def main(url: str, *owners: str) -> None:
    database = await open_database(url, synchronous="NORMAL")
    rows, records = AlertedRows(MovedClock()), calls(*owners)
    for start in range(0, CALLS, BATCH):
        await database.write(partial(rows.insert, records=records[start : start + BATCH]))
        os.write(1, b"committed\n")
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
