"""`kill -9` between the commit of a crossing and its delivery, and anywhere else."""

import asyncio
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.support.alert_writer import BATCH, CALLS, calls
from tests.support.alerting import Alerting
from tests.support.receiver import Receiver

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("patience", [1, 37, 80, 99])
async def test_a_killed_writer_loses_no_crossing_and_tells_none_twice(
    both: Alerting, database_url: str, patience: int
) -> None:
    """A process dies after so many batches, or within the next; its successor writes again what the journal has, which
    is everything. Every threshold arrives once; those that were crossed before the death, too."""
    key = await both.key({"credit_limit": CALLS})
    owners = (both.world.root.organization_id, both.workspace, key)
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.alert_writer",
        database_url,
        *owners,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdout is not None
    committed = len([await child.stdout.readline() for _ in range(patience)])
    child.kill()
    committed += (await child.stdout.read()).count(b"\n")
    await child.wait()
    before = {"".join(names) for names in await both.thresholds()}
    assert {f"{percent}%" for percent in (80, 90, 100) if committed * BATCH * 100 >= CALLS * percent} <= before

    for start in range(0, CALLS, 50):
        await both.database.write(partial(both.rows.insert, records=calls(*owners)[start : start + 50]))
    async with Receiver() as receiver:
        await both.webhook(receiver.url, types=["budget.threshold_reached"])
        await both.deliver()
    told = sorted(message.json["data"]["thresholds"] for message in receiver.messages)
    assert told == [["100%"], ["80%"], ["90%"]]
