"""`kill -9` of one of two gateways that share a budget: never over it, nothing lost, and the rest there afterwards."""

import asyncio
import os
import signal
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from headgate.base.money import NANOS_PER_USD
from headgate.tenancy import keys
from tests.support.databases import create_postgres_database
from tests.support.gateway import ADDRESS, Gateway, simulated_providers
from tests.support.http import call
from tests.support.mix import Request
from tests.support.processes import running
from tests.support.services import postgres_url
from tests.support.swarm import Seen, send, swarm
from tests.support.valkey import valkey_server

__all__ = ["postgres_url"]

CALLERS = 16
BUDGET = 0.1
WRITTEN_WITHIN_S = 60.0
LIMIT = 40
REQUEST = Request(
    "/v1/chat/completions",
    {"model": "@openai/sim-fast", "max_tokens": LIMIT, "messages": [{"role": "user", "content": "hello"}]},
    LIMIT,
)


class Pair:
    """Two gateways, each with its own data directory, before one simulator."""

    def __init__(self, directory: Path, environment: dict[str, str], simulator: str) -> None:
        self._directory = directory
        self._environment = environment
        self._simulator = simulator
        self._lives = {name: ExitStack() for name in ("one", "two")}
        self.gateways: dict[str, Gateway] = {}
        self.database_url = environment["HEADGATE_DATABASE_URL"]

    def start(self, name: str) -> None:
        data_dir, log = self._directory / name, self._directory / f"{name}.log"
        serve = ("serve", "--port", "0", "--data-dir", data_dir)
        process, address = self._lives[name].enter_context(running(serve, log, ADDRESS, self._environment))
        admin_key, journal = self._environment["HEADGATE_ADMIN_KEY"], self._directory / "simulator.journal"
        self.gateways[name] = Gateway(address[1], data_dir, admin_key, process, self._simulator, journal)

    def kill(self, name: str) -> None:
        process = self.gateways[name].process
        process.send_signal(signal.SIGKILL)
        assert process.wait(20) == -signal.SIGKILL
        self._lives[name].close()

    def close(self) -> None:
        for life in self._lives.values():
            life.close()

    async def recorded(self) -> tuple[int, set[str]]:
        """The cost of all usage records, and their outcomes."""
        connection = await asyncpg.connect(self.database_url)
        try:
            rows = await connection.fetch("SELECT cost, outcome FROM usage_record")
        finally:
            await connection.close()
        return sum(row["cost"] for row in rows), {row["outcome"] for row in rows}


@pytest.fixture
async def pair(tmp_path: Path, postgres_url: str) -> AsyncIterator[Pair]:
    journal = tmp_path / "simulator.journal"
    simulate = ("simulate", "--port", "0", "--journal", journal)
    with valkey_server() as valkey, running(simulate, tmp_path / "simulator.log", ADDRESS) as (_, address):
        environment = {
            "HEADGATE_DATABASE_URL": await create_postgres_database(postgres_url),
            "HEADGATE_REDIS_URL": valkey.url,
            "HEADGATE_MASTER_KEY": b64encode(os.urandom(32)).decode(),
            "HEADGATE_ADMIN_KEY": keys.mint(os.urandom(keys.PEPPER_BYTES)).text,
        }
        made = Pair(tmp_path, environment, address[1])
        try:
            made.start("one")
            made.start("two")
            yield made
        finally:
            made.close()


async def storm(pair: Pair, key: str, until: set[int], within_s: float) -> list[Seen]:
    """From both at once; each caller goes on until it sees one of these, and for so long at most."""
    end = asyncio.get_running_loop().time() + within_s

    async def caller(number: int) -> list[Seen]:
        url = pair.gateways[("one", "two")[number % 2]].url
        seen: list[Seen] = []
        while not seen or (seen[-1].status not in until and asyncio.get_running_loop().time() < end):
            seen.append(await send(url, key, REQUEST))
        return seen

    return await swarm(CALLERS, caller)


def standing(gateway: Gateway, key: str) -> dict[str, Any]:
    [limit] = call("GET", f"{gateway.url}/v1/limits", None, {"authorization": f"Bearer {key}"}).json["data"]
    return dict(limit)


async def settled(pair: Pair, gateway: Gateway, key: str) -> bool:
    """Whether this gateway tells what the records say, and nothing is held any more."""
    found = standing(gateway, key)
    return (found["used"], found["held"]) == ((await pair.recorded())[0], 0)


@pytest.mark.timeout(180)
async def test_one_of_two_is_killed_and_started_again(pair: Pair) -> None:
    """Its share is charged while it is dead; its unfinished calls are recovered at what they held; what it had borrowed
    and not used is spent afterwards, to the last call that fits."""
    one = pair.gateways["one"]
    workspace = one.workspace("shared")
    one.integrate(simulated_providers(one.simulator)[0], [workspace])
    key = one.key(workspace, usage_limits={"credit_limit": BUDGET})
    loop = asyncio.get_running_loop()
    loop.call_later(0.3, pair.kill, "one")
    seen = await storm(pair, key, until={0, 412}, within_s=2)
    assert {each.status for each in seen} <= {0, 200, 412, 429}
    cost, _ = await pair.recorded()
    assert cost <= BUDGET * NANOS_PER_USD
    pair.start("one")
    seen = await storm(pair, key, until={412}, within_s=30)
    assert {each.status for each in seen} <= {200, 412, 429, 503}
    assert seen[-1].status == 412
    for gateway in pair.gateways.values():
        async with asyncio.timeout(WRITTEN_WITHIN_S):
            while not await settled(pair, gateway, key):  # noqa: ASYNC110
                await asyncio.sleep(0.1)  # why: what is looked at is written by other processes
    cost, outcomes = await pair.recorded()
    assert 0.95 * BUDGET * NANOS_PER_USD <= cost <= BUDGET * NANOS_PER_USD
    assert outcomes <= {"ok", "recovered"}
