"""`kill -9` in the middle of two hundred calls: after the restart all books agree, and no budget was passed.

The simulator's journal, the usage records and what the callers saw are joined call by call. What is random comes from a
seed, which a failure names; when a process of the machine gets its turn does not.
"""

import asyncio
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from headgate.base.money import NANOS_PER_USD
from tests.support import crashing
from tests.support.crashing import Point
from tests.support.gateway import simulated_providers
from tests.support.http import call
from tests.support.mix import Request, a_request
from tests.support.money_oracle import Recorded, cost, wrongs
from tests.support.mortal import Mortal, mortal
from tests.support.processes import HEADGATE
from tests.support.swarm import Seen, send, swarm, told

CALLERS = 200
KEYS = 4
ENVIRONMENT = {"HEADGATE_DEFAULT_MAX_OUTPUT_TOKENS": "240", "HEADGATE_READ_AFTER_HANGUP_S": "1"}
DIES_WITHIN_S = 30.0


@dataclass
class Siege:
    """A gateway under fire: its customers' keys with their budgets in nano-dollars, and all that callers saw."""

    mortal: Mortal
    random: Random
    workspace: str = ""
    budgets: dict[str, tuple[str, int]] = field(default_factory=dict)
    """By key: its id, and its cap."""
    log: list[Seen] = field(default_factory=list)

    def set_up(self) -> None:
        gateway = self.mortal.gateway
        self.workspace = gateway.workspace("siege")
        for provider in simulated_providers(gateway.simulator):
            gateway.integrate(provider, [self.workspace])

    def new_keys(self, dollars: float) -> list[str]:
        """Customers with fresh budgets, so that some of their calls are refused and some are not."""
        keys = []
        for _ in range(KEYS):
            limits = {"credit_limit": dollars}
            made = self.mortal.gateway.new_key(self.workspace, usage_limits=limits)
            self.budgets[made["key"]] = made["id"], round(dollars * NANOS_PER_USD)
            keys.append(made["key"])
        return keys

    async def storm(self, keys: list[str]) -> None:
        """Every caller sends one call after the other, until nobody answers any more."""
        url, seed = self.mortal.gateway.url, self.random.random()

        async def caller(number: int) -> list[Seen]:
            random = Random(f"{seed} {number}")
            seen: list[Seen] = []
            while not seen or seen[-1].status:
                seen.append(await send(url, keys[number % KEYS], a_request(random)))
            return seen

        async with asyncio.timeout(DIES_WITHIN_S):
            self.log += await swarm(CALLERS, caller)

    def faults(self) -> list[str]:
        """What is wrong, once the gateway lives again."""
        self.mortal.quiet()
        gateway = self.mortal.gateway
        bills, rows = gateway.bills(), gateway.records()
        found = wrongs(bills, map(Recorded.of_row, rows.values()), told(self.log))
        for key, (key_id, cap) in self.budgets.items():
            mine = [row for row in rows.values() if row["key_id"] == key_id]
            recorded = sum(row["cost"] for row in mine)
            billed = sum(cost(bills[row["request_id"]].usage) for row in mine if row["request_id"] in bills)
            answer = call("GET", f"{gateway.url}/v1/limits", None, {"authorization": f"Bearer {key}"})
            [budget] = [each for each in answer.json["data"] if each["scope"] == "api_key"]
            if max(billed, recorded) > cap:
                found.append(f"{key_id}: billed {billed}, recorded {recorded}, allowed {cap}")
            if (budget["used"], budget["held"]) != (recorded, 0):
                found.append(f"{key_id}: recorded {recorded}, told {budget['used']}, held {budget['held']}")
        return found

    def outcomes(self) -> set[str]:
        return {row["outcome"] for row in self.mortal.gateway.records().values()}


@pytest.fixture
def siege(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Siege]:
    """From the seed that the test is called with."""
    seed = request.node.callspec.params["seed"]
    with mortal(tmp_path, ENVIRONMENT) as lives:
        lives.start()
        made = Siege(lives, Random(seed))
        made.set_up()
        yield made


async def kills(siege: Siege, count: int) -> None:
    """So many lives of one data directory, each ended at a random moment."""
    for number in range(count):
        keys = siege.new_keys(dollars=0.25)
        loop, process = asyncio.get_running_loop(), siege.mortal.gateway.process
        loop.call_later(siege.random.uniform(0.1, 1.0), process.send_signal, signal.SIGKILL)
        await siege.storm(keys)
        siege.mortal.dead()
        siege.mortal.start()
        faults = siege.faults()
        assert not faults, f"kill {number}:\n" + "\n".join(faults[:20])


@pytest.mark.parametrize("seed", [1])
async def test_killed_at_random_moments(siege: Siege, seed: int) -> None:
    """Ten times: no call is lost, none is counted twice, no budget is passed, nothing stays held; calls whose end
    nobody wrote down are marked as recovered."""
    await kills(siege, 10)
    assert siege.outcomes() >= {"ok", "provider_error", "recovered"}
    assert {seen.status for seen in siege.log} >= {0, 200, 429}


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("seed", range(100, 104))
async def test_killed_at_random_moments_again_and_again(siege: Siege, seed: int) -> None:
    """A hundred and twenty times."""
    await kills(siege, 30)


BILLED = {Point.AFTER_FIRST_BYTE, Point.BEFORE_SETTLE, Point.AFTER_SETTLE}
"""Points at which the provider has answered the call that is killed."""


@pytest.mark.parametrize("seed", [7])
@pytest.mark.parametrize("point", Point)
async def test_killed_at_a_named_point(siege: Siege, point: Point, seed: int) -> None:
    """What was held and never to be sent costs nothing; what was sent and not settled is recovered at what it held;
    what was settled is recorded as it was, however far its way to the database was."""
    count = 1 if point in (Point.IN_BATCH, Point.AFTER_BATCH) else siege.random.randrange(30, 150)
    doomed = ("-m", crashing.__name__, point, str(count))
    siege.mortal.end()
    siege.mortal.start(doomed)
    await siege.storm(siege.new_keys(dollars=1.0))
    siege.mortal.dead()
    last = re.search(crashing.SAYS, siege.mortal.log.read_text())
    assert last is not None
    assert last[1] == point
    siege.mortal.start(HEADGATE)
    faults = siege.faults()
    assert not faults, "\n".join(faults[:20])
    record, billed = siege.mortal.gateway.records().get(last[2]), last[2] in siege.mortal.gateway.bills()
    match point:
        case Point.AFTER_HOLD:
            assert (record, billed) == (None, False)
        case Point.IN_BATCH | Point.AFTER_BATCH:
            assert record is not None
            assert record["outcome"] != "recovered"
        case _:
            assert record is not None
            assert (record["outcome"], record["usage_source"]) == ("recovered", "estimated")
            assert billed == (point in BILLED)
            assert record["cost"] > 0


EACH_FORMAT = {"/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1/completions", "/v1/embeddings"}


def test_the_mix_has_everything() -> None:
    """Every format, plain and streamed, goes into the storm."""
    requests: list[Request] = [a_request(Random(number)) for number in range(300)]
    assert {request.path for request in requests} >= EACH_FORMAT
    assert {request.path for request in requests if request.stream} >= EACH_FORMAT - {"/v1/embeddings"}
