"""`headgate serve --workers`: one gateway in several processes, on one PostgreSQL and one Valkey."""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random

import pytest

from headgate.base.money import NANOS_PER_USD
from headgate.process.data_dir import DataDirLock
from tests.support.databases import create_postgres_database
from tests.support.gateway import simulated_providers
from tests.support.http import call
from tests.support.mix import Request, a_request
from tests.support.money_oracle import Recorded, wrongs
from tests.support.mortal import Mortal, mortal
from tests.support.postgres_records import usage_records_in
from tests.support.processes import NotReady
from tests.support.swarm import Seen, send, swarm, told
from tests.support.valkey import valkey_server

WORKERS = 3
CALLERS = 24
STALLED = 6
WITHIN_S = 30.0
ENVIRONMENT = {
    "HEADGATE_WORKERS": str(WORKERS),
    "HEADGATE_DEFAULT_MAX_OUTPUT_TOKENS": "240",
    "HEADGATE_READ_AFTER_HANGUP_S": "1",
    "HEADGATE_DRAIN_TIMEOUT_S": "5",
}


class House:
    """The gateway of `mortal`, a key of its with a budget, and all that callers saw."""

    def __init__(self, mortal: Mortal, database_url: str) -> None:
        self.mortal = mortal
        self.database_url = database_url
        self.log: list[Seen] = []
        gateway = mortal.gateway
        self.workspace = gateway.workspace("workers")
        for provider in simulated_providers(gateway.simulator):
            gateway.integrate(provider, [self.workspace])

    def key(self, dollars: float = 100.0) -> str:
        made = self.mortal.gateway.new_key(self.workspace, usage_limits={"credit_limit": dollars})
        self.key_id, self.cap = str(made["id"]), round(dollars * NANOS_PER_USD)
        return str(made["key"])

    def ready(self) -> list[tuple[int, int]]:
        """Number and process id of workers, in the order in which they got ready."""
        found = re.findall(r'"worker": (\d+), "pid": (\d+), "event": "worker is ready"', self.mortal.log.read_text())
        return [(int(number), int(pid)) for number, pid in found]

    @property
    def living(self) -> dict[int, int]:
        """The process id of each worker, by its number."""
        return dict(self.ready())

    async def until(self, holds: Callable[[], bool]) -> None:
        for _ in range(int(WITHIN_S * 50)):
            if holds():
                return
            await asyncio.sleep(0.02)  # why: other processes write what is looked at
        raise AssertionError(self.mortal.log.read_text()[-4000:])

    async def all_ready(self, count: int = WORKERS) -> None:
        await self.until(lambda: len(self.ready()) >= count)

    async def calls(self, key: str, each: int) -> None:
        """So many of each caller, one after the other, whatever becomes of them."""
        url = self.mortal.gateway.url

        async def caller(number: int) -> list[Seen]:
            random = Random(number)
            return [await send(url, key, a_request(random, bad=0)) for _ in range(each)]

        self.log += await swarm(CALLERS, caller)

    async def stalled_calls(self, key: str) -> None:
        """Some that no provider ever answers."""
        body = {"model": "@openai/sim-stall", "max_tokens": 50, "messages": [{"role": "user", "content": "Well?"}]}
        stalled = Request("/v1/chat/completions", body)
        await asyncio.gather(*(send(self.mortal.gateway.url, key, stalled) for _ in range(STALLED)))

    def under_way(self) -> int:
        """Calls that wait for the provider that never answers."""
        return sum(call.intent.model == "sim-stall" for call in self.mortal.gateway.upstream_calls())

    async def books(self) -> None:
        """Nothing is lost, nothing twice, no budget passed. The gateway has ended, or has written all."""
        self.mortal.quiet()
        records = await usage_records_in(self.database_url)
        found = wrongs(self.mortal.gateway.bills(), map(Recorded.of_row, records.values()), told(self.log))
        assert not found, "\n".join(found[:20])
        assert sum(row["cost"] for row in records.values() if row["key_id"] == self.key_id) <= self.cap


@pytest.fixture
async def house(tmp_path: Path, postgres_url: str) -> AsyncIterator[House]:
    """Of three workers, all of them ready."""
    database_url = await create_postgres_database(postgres_url)
    with valkey_server() as valkey:
        environment = {**ENVIRONMENT, "HEADGATE_DATABASE_URL": database_url, "HEADGATE_REDIS_URL": valkey.url}
        with mortal(tmp_path, environment) as lives:
            lives.start()
            made = House(lives, database_url)
            await made.all_ready()
            yield made


async def test_a_start_that_cannot_be_is_told_in_one_sentence(tmp_path: Path, postgres_url: str) -> None:
    """By the first worker, and the others are not started: here Redis may forget what it has lent."""
    with valkey_server("--maxmemory-policy", "allkeys-lru") as valkey:
        database_url = await create_postgres_database(postgres_url)
        environment = {**ENVIRONMENT, "HEADGATE_DATABASE_URL": database_url, "HEADGATE_REDIS_URL": valkey.url}
        with mortal(tmp_path, environment) as lives, pytest.raises(NotReady, match="It ended with 1 ") as caught:
            lives.start()
    assert "\nheadgate: Redis may evict what Headgate keeps in it: its maxmemory-policy is allkeys-lru." in str(
        caught.value
    )
    assert "Traceback" not in str(caught.value)


async def test_all_take_calls_and_none_passes_the_budget(house: House) -> None:
    """Connections are spread over them; the page of metrics is of all; SIGTERM ends them with 0, each with its log."""
    key = house.key(dollars=0.1)
    await house.calls(key, 10)
    page = call("GET", f"{house.mortal.gateway.url}/metrics").body.decode()
    took = re.findall(r'headgate_calls_total{worker="(\d)",.*outcome="ok"', page)
    assert set(took) == {"1", "2", "3"}
    assert page.count("# TYPE headgate_calls_total") == 1
    assert set(re.findall(r'headgate_worker_up{worker="(\d)"} 1', page)) == {"1", "2", "3"}
    house.mortal.gateway.process.send_signal(signal.SIGTERM)
    assert house.mortal.gateway.process.wait(WITHIN_S) == 0
    await house.books()
    answered = {seen.status for seen in house.log}
    assert {200} < answered <= {200, 412, 429}, "some were let in, and some refused: 429 while others may give back"
    for number in range(1, WORKERS + 1):
        assert re.search(rf'"event": "stopped".*"worker": {number}}}', house.mortal.log.read_text())


async def test_a_worker_that_is_killed_loses_nothing(house: House) -> None:
    """Again and again, in the middle of calls: its successor settles what it left."""
    key = house.key()
    for number in range(4):
        victim = house.living[1 + number % WORKERS]
        asyncio.get_running_loop().call_later(0.3, os.kill, victim, signal.SIGKILL)
        await house.calls(key, 4)
        await house.all_ready(WORKERS + number + 1)
    house.mortal.gateway.process.send_signal(signal.SIGTERM)
    assert house.mortal.gateway.process.wait(WITHIN_S) == 0
    await house.books()


async def test_a_supervisor_that_is_killed_loses_nothing(house: House) -> None:
    """Its workers end by themselves, and have the directory until they have; the next start may have fewer of them."""
    key = house.key()
    process = house.mortal.gateway.process
    asyncio.get_running_loop().call_later(0.3, process.kill)
    await house.calls(key, 4)
    house.mortal.dead()
    await house.until(lambda: is_free(house.mortal.gateway.data_dir))
    house.mortal.environment["HEADGATE_WORKERS"] = "1"
    house.mortal.start()
    assert not list(house.mortal.gateway.data_dir.glob("worker-*"))
    house.mortal.end()
    await house.books()


async def test_workers_that_died_with_their_supervisor_are_settled_by_the_next_start(house: House) -> None:
    """The machine lost its power, and then has one worker only: that one settles what all of them left."""
    key = house.key()
    everybody = [*house.living.values(), house.mortal.gateway.process.pid]

    async def lightning() -> None:
        await house.until(lambda: house.under_way() >= STALLED)
        for pid in everybody:
            os.kill(pid, signal.SIGKILL)

    await asyncio.gather(house.calls(key, 4), house.stalled_calls(key), lightning())
    house.mortal.dead()
    house.mortal.environment["HEADGATE_WORKERS"] = "1"
    house.mortal.start()
    assert not list(house.mortal.gateway.data_dir.glob("worker-*"))
    house.mortal.end()
    await house.books()
    records = await usage_records_in(house.database_url)
    assert "recovered" in {row["outcome"] for row in records.values()}


def is_free(data_dir: Path) -> bool:
    try:
        DataDirLock.take(data_dir).release()
    except Exception:
        return False
    return True


async def test_replacing_them_one_after_the_other_cuts_nobody_off(house: House) -> None:
    """SIGHUP, in the middle of calls: who is answered is answered in full. A connection that nobody had accepted yet
    may be reset in the moment in which its worker leaves."""
    key = house.key()
    asyncio.get_running_loop().call_later(0.3, house.mortal.gateway.process.send_signal, signal.SIGHUP)
    await house.calls(key, 15)
    await house.all_ready(2 * WORKERS)
    assert {(seen.status, seen.whole) for seen in house.log if seen.status} == {(200, True)}
    assert len([seen for seen in house.log if not seen.status]) <= WORKERS
    house.mortal.end()
    await house.books()
