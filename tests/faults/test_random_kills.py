"""Parts are killed, stopped and cut off while callers go on: never over a budget, nothing lost, nothing twice."""

from pathlib import Path
from random import Random

import pytest

from tests.support.deployment import deployed

BETWEEN = 10
KILLED = ("worker", "supervisor", "node", "valkey", "postgres")


async def kill(directory: Path, random: Random, parts: list[str]) -> None:
    """One after the other, each in the middle of calls on a budget that is not spent yet."""
    async with deployed(directory) as deployment:
        assert set(deployment.kills) == set(KILLED)
        for part in parts:
            await deployment.new_key()
            await deployment.more_calls(random.randrange(BETWEEN))
            await deployment.kill(part)
        await deployment.new_key()
        await deployment.more_calls(BETWEEN)
        await deployment.end_calls()
        await deployment.books()


@pytest.mark.timeout(180)
async def test_ten_kills(tmp_path: Path) -> None:
    """Of each part twice, in an order that nobody chose."""
    random = Random(10)
    await kill(tmp_path, random, random.sample(KILLED * 2, 10))


@pytest.mark.slow
@pytest.mark.timeout(1200)
async def test_a_hundred_kills(tmp_path: Path) -> None:
    """Of parts that nobody chose."""
    random = Random(100)
    await kill(tmp_path, random, random.choices(KILLED, k=100))


@pytest.mark.timeout(180)
async def test_everything_stands_still_or_is_out_of_reach_for_a_while(tmp_path: Path) -> None:
    """Servers, a process, and one process's lines to them: both ways, one way, the other way."""
    random = Random(1)
    async with deployed(tmp_path) as deployment:
        for kind in random.sample(list(deployment.troubles), len(deployment.troubles)):
            await deployment.new_key()
            await deployment.more_calls(random.randrange(BETWEEN))
            await deployment.trouble(kind)
        await deployment.new_key()
        await deployment.more_calls(BETWEEN)
        await deployment.end_calls()
        await deployment.books()
