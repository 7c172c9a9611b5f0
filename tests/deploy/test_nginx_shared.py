"""nginx before two gateways that share PostgreSQL and Valkey, with the file that ships: as one gateway, while one of
them ends too."""

import asyncio
import os
import re
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest

from headgate.base.money import NANOS_PER_USD
from tests.support.databases import create_postgres_database
from tests.support.gateway import ADDRESS, simulated_providers
from tests.support.http import call
from tests.support.mix import Request, a_request
from tests.support.money_oracle import Recorded, wrongs
from tests.support.mortal import Mortal
from tests.support.nginx import NGINX, nginx, ours
from tests.support.postgres_records import usage_records_in
from tests.support.processes import running
from tests.support.services import postgres_url
from tests.support.swarm import Seen, send, swarm, told
from tests.support.valkey import Valkey, valkey

__all__ = ["postgres_url", "valkey"]

pytestmark = [pytest.mark.slow, pytest.mark.skipif(NGINX is None, reason="there is no nginx on this machine")]

CALLERS = 6
CALLS = 20
BUDGET = 0.05


class Front:
    """`url` is nginx's; `nodes` are behind it. `log` is all that callers saw."""

    def __init__(self, url: str, nodes: tuple[Mortal, Mortal], database_url: str, keys: dict[str, str]) -> None:
        self.url = url
        self.nodes = nodes
        self.keys = keys
        self.log: list[Seen] = []
        self._news = asyncio.Condition()
        self._database_url = database_url

    async def calls(self, key: str) -> list[Seen]:
        """Of many callers at once, to providers that do well."""

        async def caller(number: int) -> list[Seen]:
            random = Random(number)
            return [await self._call(key, a_request(random, bad=0)) for _ in range(CALLS)]

        return await swarm(CALLERS, caller)

    async def _call(self, key: str, request: Request) -> Seen:
        seen = await send(self.url, self.keys[key], request)
        async with self._news:
            self.log.append(seen)
            self._news.notify_all()
        return seen

    async def answered(self, more: int) -> None:
        """Returns when so many more calls are over."""
        count = len(self.log) + more
        async with self._news:
            await self._news.wait_for(lambda: len(self.log) >= count)

    async def records(self) -> dict[str, dict[str, Any]]:
        return await usage_records_in(self._database_url)


@pytest.fixture
async def front(tmp_path: Path, postgres_url: str, valkey: Valkey) -> AsyncIterator[Front]:
    database_url = await create_postgres_database(postgres_url)
    environment = {
        "HEADGATE_DATABASE_URL": database_url,
        "HEADGATE_REDIS_URL": valkey.url,
        "HEADGATE_MASTER_KEY": b64encode(os.urandom(32)).decode(),
        "HEADGATE_DEFAULT_MAX_OUTPUT_TOKENS": "240",
    }
    journal = tmp_path / "simulator.journal"
    async with AsyncExitStack() as closing:
        simulate = ("simulate", "--port", "0", "--journal", journal)
        _, address = closing.enter_context(running(simulate, tmp_path / "simulator.log", ADDRESS))
        nodes = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            nodes.append(Mortal(tmp_path / name, address[1], environment, journal))
            closing.callback(nodes[-1].end)
            await asyncio.to_thread(nodes[-1].start)
        first = nodes[0].gateway
        workspace = first.workspace("behind nginx")
        for provider in simulated_providers(first.simulator):
            first.integrate(provider, [workspace])
        keys = {"free": first.key(workspace), "poor": first.key(workspace, usage_limits={"credit_limit": BUDGET})}
        servers = ours(*(node.gateway.url.removeprefix("http://") for node in nodes))
        url = closing.enter_context(nginx(tmp_path / "nginx", servers))
        yield Front(url, (nodes[0], nodes[1]), database_url, keys)


def calls_of(node: Mortal) -> float:
    """How many calls that gateway has ended."""
    page = call("GET", f"{node.gateway.url}/metrics").body.decode()
    return sum(map(float, re.findall(r"^headgate_calls_total\{.*\} (\S+)$", page, re.MULTILINE)))


async def test_two_gateways_are_one(front: Front) -> None:
    """Calls go to both. A budget is spent by both together, to the end and not beyond. One is told to end in the
    middle of calls: each of them is answered in full, and the books are right."""
    assert {seen.status for seen in await front.calls("free")} == {200}
    assert all(calls_of(node) > CALLERS * CALLS / 5 for node in front.nodes)

    assert {seen.status for seen in await front.calls("poor")} <= {200, 412, 429}
    poor = {seen.request_id for seen in front.log if seen.key == front.keys["poor"]}

    ending, staying = front.nodes
    calls = asyncio.get_running_loop().create_task(front.calls("free"))
    await front.answered(2 * CALLERS)
    ending.gateway.process.terminate()
    assert [(seen.status, seen.code, seen.body) for seen in await calls if seen.status != 200 or not seen.whole] == []
    assert await asyncio.to_thread(ending.gateway.process.wait, 20) == 0
    staying.gateway.process.terminate()
    assert await asyncio.to_thread(staying.gateway.process.wait, 20) == 0

    records = await front.records()
    assert wrongs(staying.gateway.bills(), map(Recorded.of_row, records.values()), told(front.log)) == []
    spent = sum(row["cost"] for name, row in records.items() if name in poor)
    assert 0.8 * BUDGET * NANOS_PER_USD <= spent <= BUDGET * NANOS_PER_USD
