"""A start whose journal has a usage record that the database does not take: it is reported, and what it used counts."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from headgate.bootstrap import open_gateway
from headgate.bootstrap.places import JOURNAL_DIRECTORY
from headgate.ledger.allowance import Amounts
from headgate.ledger.journal import DispatchEntry, HoldEntry, SettleEntry
from headgate.ledger.record import UsageRecord
from headgate.settings import Settings
from headgate.storage.journal import FileJournal
from headgate.storage.processes import Processes
from headgate.tenancy.vault import MasterKey, Vault
from tests.support.asgi import request
from tests.support.nodes import open_nodes
from tests.support.plane import Plane, completion, open_plane
from tests.support.raw_server import Peer
from tests.support.services import postgres_url
from tests.support.valkey import Valkey, valkey_server

__all__ = ["postgres_url"]

BUDGET = {"usage_limits": {"credit_limit": 1.0}}
DIME = 100_000_000
CALL = {"model": "@openai/m", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
def authority() -> Iterator[Valkey]:
    with valkey_server() as server:
        yield server


async def play(peer: Peer, body: dict[str, Any]) -> None:
    await peer.answer(completion("x", 3, 5))


def leave(data_dir: Path, like: UsageRecord) -> None:
    """What a process leaves that was killed: three calls for a dime each, one of which is none that a database takes,
    and another that was under way and is none either."""
    journal, _ = FileJournal.open(data_dir / JOURNAL_DIRECTORY)
    for name, tokens in (("first", 1), ("bad", 2**63), ("last", 1)):
        record = replace(like, request_id=name, usage={"input": tokens, "output": 0}, cost=DIME)
        journal.append(SettleEntry(name, like.started_at, Amounts(cost=DIME), (), record))
    held = HoldEntry("under way", like.started_at, Amounts(input_tokens=2**63, cost=DIME), ())
    journal.append(DispatchEntry("under way", replace(like, request_id="under way"), held))
    journal.close()


async def spent(plane: Plane, key: str) -> int:
    [limit] = [each for each in await plane.limits(key) if each["resource"] == "cost"]
    return int(limit["used"])


@asynccontextmanager
async def again(data_dir: Path, vault: Vault) -> AsyncIterator[Plane]:
    gateway = await open_gateway(Settings(data_dir=data_dir), vault)
    try:
        yield Plane(gateway, "", "")
    finally:
        await gateway.drain(0)
        await gateway.close()


async def test_one_process_starts_and_counts_it(tmp_path: Path) -> None:
    """As often as it is started; the other records are in the database."""
    vault = Vault([MasterKey.generate()])
    async with open_plane(tmp_path, play, vault) as plane:
        await plane.integrate("openai", {"m": {"request_token": 0.0, "response_token": 0.1}})
        key = await plane.key(**BUDGET)
        assert (await plane.call(key, CALL).reply()).status == 200
        [call] = await plane.records()
        used = await spent(plane, key)
    leave(tmp_path, call)
    for _ in range(2):
        async with again(tmp_path, vault) as plane:
            assert [each.request_id for each in plane.gateway.usage.set_aside] == ["bad", "under way"]
            assert {each.request_id for each in await plane.records()} == {call.request_id, "first", "last"}
            assert await spent(plane, key) == used + 4 * DIME


async def test_one_of_several_takes_no_calls_and_what_its_predecessor_borrowed_stays_charged(
    tmp_path: Path, authority: Valkey, postgres_url: str
) -> None:
    """Nobody else could count what it used."""
    async with open_nodes(tmp_path, postgres_url, authority.url, play, "one", "two") as nodes:
        one = nodes.planes["one"]
        await one.integrate("openai", {"m": {"request_token": 0.0, "response_token": 0.1}})
        key = await one.key(**BUDGET)
        assert (await one.call(key, CALL).reply()).status == 200
        [call] = await one.records()
        await nodes.stop("one")
        leave(tmp_path / "one", call)
        one, two = await nodes.start("one"), nodes.planes["two"]
        refused = await one.call(key, CALL).reply()
        assert (refused.status, refused.json["error"]["code"]) == (503, "database_behind")
        ready = await request(one.gateway.app, "GET", "/readyz", None, {})
        assert (ready.status, ready.json) == (503, {"status": "the database does not take a usage record"})
        assert len(await Processes(one.gateway.database).all()) == 1
        assert (await two.call(key, CALL).reply()).status == 200
