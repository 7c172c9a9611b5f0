"""Gateways that share allowances: one PostgreSQL, one Valkey, and never more than the cap between them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from redis.asyncio import Redis

from headgate.ledger.allowance import Amounts
from headgate.ledger.share import LEASE
from tests.support.asgi import request
from tests.support.nodes import Nodes, open_nodes
from tests.support.plane import completion
from tests.support.raw_server import Peer
from tests.support.services import postgres_url
from tests.support.valkey import Valkey, valkey_server

__all__ = ["postgres_url"]

PRICES = {"request_token": 0.0, "response_token": 0.1}
"""Nothing for input, a tenth of a cent for each token of output."""
CHEAP = {"request_token": 0.0, "response_token": 0.01}
NANOS_PER_TOKEN = 1_000_000
DOLLAR = 1_000_000_000
CUSTOMER = {"name": "customer", "workspace_id": "default", "scopes": ["completions.write"]}
MESSAGES = [{"role": "user", "content": "hi"}]


@pytest.fixture
def authority() -> Iterator[Valkey]:
    with valkey_server() as server:
        yield server


class Gate:
    """A provider that answers while it is open. An answer is half of what it may be."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.opened.set()

    async def play(self, peer: Peer, body: dict[str, Any]) -> None:
        await self.opened.wait()
        await peer.answer(completion("x", 3, body["max_tokens"] // 2))


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
async def nodes(tmp_path: Path, authority: Valkey, postgres_url: str, gate: Gate) -> AsyncIterator[Nodes]:
    async with open_nodes(tmp_path, postgres_url, authority.url, gate.play, "one", "two") as opened:
        await opened.planes["one"].integrate("openai", {"m": PRICES, "cheap": CHEAP})
        yield opened


def body(max_tokens: int) -> dict[str, Any]:
    return {"model": "@openai/m", "max_tokens": max_tokens, "messages": MESSAGES}


async def spend(nodes: Nodes, key: str, callers: int, calls: int) -> dict[int, int]:
    """From all nodes at once; how often each status came."""
    statuses: dict[int, int] = {}

    async def caller(name: str) -> None:
        for _ in range(calls):
            reply = await nodes.planes[name].call(key, body(20)).reply()
            statuses[reply.status] = statuses.get(reply.status, 0) + 1

    await asyncio.gather(*(caller(name) for name in nodes.planes for _ in range(callers)))
    return statuses


async def spent(nodes: Nodes) -> int:
    for plane in nodes.planes.values():
        await plane.gateway.usage.flush()
    return sum(record.cost for record in await next(iter(nodes.planes.values())).records())


async def test_two_gateways_spend_one_dollar(nodes: Nodes) -> None:
    """Calls that hold twice what they cost, more than the budget has room for, from both at once: never over it, and
    nearly all of it."""
    key = await nodes.planes["one"].key(usage_limits={"credit_limit": 1})
    statuses = await spend(nodes, key, 10, 10)
    assert set(statuses) <= {200, 412, 429}
    assert 0.95 * DOLLAR <= await spent(nodes) <= DOLLAR


async def test_one_is_started_again(nodes: Nodes) -> None:
    """What the first life used counts in the next, what it had borrowed and not used is there for both."""
    key = await nodes.planes["one"].key(usage_limits={"credit_limit": 0.1})
    for name in ("one", "two", "one"):
        assert (await nodes.planes[name].call(key, body(20)).reply()).status == 200
    await nodes.stop("one")
    [two] = await nodes.planes["two"].limits(key)
    assert (two["used"], two["held"]) == (30 * NANOS_PER_TOKEN, 0)
    await nodes.start("one")
    statuses = await spend(nodes, key, 2, 10)
    assert statuses[200] == 6  # after three such; there is half of what one more would have to hold
    assert await spent(nodes) == 90 * NANOS_PER_TOKEN


async def test_flushed_in_the_middle(nodes: Nodes, authority: Valkey) -> None:
    """The authority forgets all it knew while both spend: it is told again, and nothing is spent twice."""
    key = await nodes.planes["one"].key(usage_limits={"credit_limit": 1})
    spending = asyncio.get_running_loop().create_task(spend(nodes, key, 10, 20))
    await nodes.reached(40)
    redis = Redis.from_url(authority.url)
    await redis.flushall()
    await redis.aclose()
    statuses = await spending
    assert set(statuses) <= {200, 412, 429}
    assert 0.95 * DOLLAR <= await spent(nodes) <= DOLLAR


async def test_killed_in_the_middle(nodes: Nodes, authority: Valkey) -> None:
    """While it is away calls are let in on what was borrowed, or refused with 503; once it is back, as ever."""
    key = await nodes.planes["one"].key(usage_limits={"credit_limit": 1})
    spending = asyncio.get_running_loop().create_task(spend(nodes, key, 5, 10))
    await nodes.reached(20)
    authority.kill()
    statuses = await spending
    assert set(statuses) <= {200, 412, 429, 503}
    assert await spent(nodes) <= DOLLAR
    authority.start()
    for name in nodes.planes:
        await nodes.sharing(name).borrowing.look()
    statuses = await spend(nodes, key, 10, 20)
    assert set(statuses) <= {200, 412, 429}
    assert 0.95 * DOLLAR <= await spent(nodes) <= DOLLAR


async def test_what_the_database_does_not_take_is_not_lent_again(nodes: Nodes, authority: Valkey) -> None:
    """The authority has forgotten what one gateway used, and the records do not tell: nothing is lent, until that
    gateway is started again and the database takes what its journal has."""
    key = await nodes.planes["one"].key(usage_limits={"credit_limit": 0.1})
    database = await asyncpg.connect(nodes.database_url)
    await database.execute("ALTER TABLE usage_record ADD CONSTRAINT narrow CHECK (cost = 0) NOT VALID")
    for _ in range(7):
        assert (await nodes.planes["one"].call(key, body(20)).reply()).status == 200
    await nodes.planes["one"].gateway.usage.flush()
    redis = Redis.from_url(authority.url)
    await redis.flushall()
    await redis.aclose()
    refused = await nodes.planes["two"].call(key, body(60)).reply()
    assert (refused.status, refused.json["error"]["code"]) == (503, "shares_rebuilding")
    await database.execute("ALTER TABLE usage_record DROP CONSTRAINT narrow")
    await database.close()
    await nodes.stop("one")
    await nodes.start("one")
    statuses = await spend(nodes, key, 2, 10)
    assert set(statuses) <= {200, 412, 429}
    assert await spent(nodes) == 90 * NANOS_PER_TOKEN


async def borrow_all(nodes: Nodes, name: str, key: str, cost: int) -> None:
    """That gateway has borrowed so much of the key's budget, and uses none of it."""
    allowances = (await nodes.planes[name].gateway.services.directory.authenticate(key)).allowances
    assert await nodes.sharing(name).borrowing.borrow(allowances, Amounts(cost=cost))


async def tell(nodes: Nodes, name: str) -> None:
    """What that gateway used and holds, as it does several times a second."""
    await nodes.sharing(name).borrowing.tell(nodes.sharing(name).shares)


async def patient(nodes: Nodes) -> None:
    """Calls wait for room, longer than a slow machine takes."""
    await nodes.planes["one"].admin("PUT", "/admin/organisation", {"admission": {"hold_wait_ms": 10_000}})


@pytest.mark.parametrize(("holder", "caller"), [("one", "two"), ("two", "one")])
async def test_what_is_borrowed_and_not_used_comes_back(nodes: Nodes, holder: str, caller: str) -> None:
    """A call that finds all that it needs lent to another process waits for it, and has it."""
    await patient(nodes)
    key = await nodes.planes["one"].key(usage_limits={"credit_limit": 0.1})
    await borrow_all(nodes, holder, key, 80 * NANOS_PER_TOKEN)
    reply = await nodes.planes[caller].call(key, body(60)).reply()
    assert reply.status == 200, reply.body


async def test_a_call_that_waits_hears_of_room_elsewhere(nodes: Nodes, gate: Gate) -> None:
    """The one place is taken by a call in another process, and given back there."""
    await patient(nodes)
    key = await nodes.planes["one"].key(rate_limits=[{"type": "in_flight", "value": 1}])
    gate.opened.clear()
    first = nodes.planes["one"].call(key, body(20))
    await nodes.reached(1)
    second = nodes.planes["two"].call(key, body(20))
    await asyncio.sleep(0.2)  # why: nothing tells that a call waits for another process
    assert not second.task.done()
    gate.opened.set()
    assert [(await each.reply()).status for each in (first, second)] == [200, 200]


async def test_a_new_limit_counts_calls_under_way_in_all_processes(nodes: Nodes, gate: Gate) -> None:
    """Also in one where no other call of the same customer comes: it hears of the limit."""
    one, two = nodes.planes["one"], nodes.planes["two"]
    made = await one.admin("POST", "/api-keys/workspace/service", CUSTOMER)
    gate.opened.clear()
    calls = [plane.call(made["key"], body(40)) for plane in (one, two)]
    await nodes.reached(2)
    await one.admin("PUT", f"/api-keys/{made['id']}", {"usage_limits": {"credit_limit": 0.1}})
    async with asyncio.timeout(10):
        while (await one.limits(made["key"]))[0]["held"] != 80 * NANOS_PER_TOKEN:
            await tell(nodes, "two")
    assert (await one.call(made["key"], body(40)).reply()).status == 429
    gate.opened.set()
    assert [(await each.reply()).status for each in calls] == [200, 200]
    await tell(nodes, "two")
    assert (await one.limits(made["key"]))[0]["used"] == 40 * NANOS_PER_TOKEN


async def test_a_refusal_tells_what_all_used(nodes: Nodes, gate: Gate) -> None:
    """What another process used and holds is not left, and is said so; spent is told from held."""
    key = await nodes.planes["one"].key(usage_limits={"credit_limit": 0.1})
    assert (await nodes.planes["one"].call(key, body(60)).reply()).status == 200
    gate.opened.clear()
    held = nodes.planes["one"].call(key, body(60))
    await nodes.reached(2)
    await tell(nodes, "one")
    [seen] = await nodes.planes["two"].limits(key)
    assert (seen["used"], seen["held"], seen["left"]) == tuple(each * NANOS_PER_TOKEN for each in (30, 60, 10))
    refused = await nodes.planes["two"].call(key, body(20)).reply()
    assert (refused.status, refused.json["error"]["details"]["left"]) == (429, "$0.010000")
    gate.opened.set()
    assert (await held.reply()).status == 200
    await tell(nodes, "one")
    [seen] = await nodes.planes["two"].limits(key)
    assert (seen["used"], seen["held"]) == (60 * NANOS_PER_TOKEN, 0)
    refused = await nodes.planes["two"].call(key, body(60)).reply()
    assert (refused.status, refused.json["error"]["details"]["left"]) == (412, "$0.040000")


async def test_what_another_process_used_sends_calls_to_the_cheaper_model(nodes: Nodes) -> None:
    """The share of a budget at which calls go down is of what all used."""
    one, two = nodes.planes["one"], nodes.planes["two"]
    budget = {"usage_limits": {"credit_limit": 0.1}, "downgrade": {"at": 0.5, "models": {"@openai/m": "cheap"}}}
    await one.admin("POST", "/admin/tenants", {"tenant_id": "acme", "workspace_id": "default", **budget})
    key = await one.key(tenant_id="acme")
    assert (await one.call(key, body(100)).reply()).headers["x-headgate-model"] == "m"
    await tell(nodes, "one")
    assert (await two.call(key, body(20)).reply()).headers["x-headgate-model"] == "cheap"


async def test_nothing_is_left_to_decide_on(nodes: Nodes, authority: Valkey) -> None:
    """Without the authority a call is let in on what was borrowed; one that needs more is refused with 503, and says
    why. Where nothing is heard for as long as what was borrowed counts, the process says that it takes no calls."""
    one = nodes.planes["one"]
    key = await one.key(usage_limits={"credit_limit": 10})
    await borrow_all(nodes, "one", key, 30 * NANOS_PER_TOKEN)
    authority.kill()
    assert (await one.call(key, body(30)).reply()).status == 200
    refused = await one.call(key, body(300)).reply()
    assert (refused.status, refused.json["error"]["code"]) == (503, "shares_unavailable")
    assert (await request(one.gateway.app, "GET", "/readyz")).status == 200
    nodes.sharing("one").authority.heard_at -= LEASE
    told = await request(one.gateway.app, "GET", "/readyz")
    assert (told.status, told.json["status"]) == (503, "redis does not answer")
