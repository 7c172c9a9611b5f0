"""What borrowed shares do when the authority is killed, stopped, full, emptied, or one of several."""

import signal
from collections.abc import Iterator
from typing import Any

import pytest
from redis.asyncio import Redis

from headgate.ledger.allowance import Amounts, Resource
from headgate.ledger.hold import Denied
from headgate.storage.shares.authority import SOURCE, AuthorityAway
from tests.support.fault_proxy import fault_proxy
from tests.support.ledger import ManualClock, allowance
from tests.support.sharing import BUDGET, Records, held, looked, settle, sharing
from tests.support.valkey import Valkey, valkey_server
from tests.support.valkey_cluster import valkey_cluster

MANY = [allowance(f"budget {number}", Resource.COST, 100) for number in range(20)]


@pytest.fixture
def server() -> Iterator[Valkey]:
    with valkey_server("--appendonly", "yes") as running:
        yield running


def client(server: Valkey) -> Any:
    return Redis.from_url(server.url)


async def test_without_an_authority_what_was_borrowed_can_be_used_and_no_more(server: Valkey) -> None:
    """Killed: a call that fits into the share is decided as ever, the next one is told that Redis is away."""
    async with sharing(server.url) as (one, _):
        assert await held(one, "first", 40)
        settle(one, Records(), "first", 10)  # 30 of what was borrowed are free again
        server.kill()
        assert await held(one, "second", 30)
        with pytest.raises(AuthorityAway, match="Redis does not answer"):
            await held(one, "third", 1)


async def test_a_share_expires_when_nothing_is_heard_for_long(server: Valkey) -> None:
    """A process that was stopped for longer than its lease decides nothing on what it had."""
    async with sharing(server.url) as (one, _):
        assert await held(one, "first", 40)
        settle(one, Records(), "first", 10)
        assert isinstance(one.clock, ManualClock)
        one.clock.pass_s(31)
        assert isinstance(one.ledger.hold("second", [BUDGET], Amounts(cost=1)), Denied)
        assert await held(one, "third", 1)


async def test_a_stopped_server_is_away_and_then_back(server: Valkey) -> None:
    """Nobody knows whether it heard; asked again, it has lent the same once."""
    async with sharing(server.url) as (one, two):
        assert await held(one, "first", 40)
        server.process.send_signal(signal.SIGSTOP)
        with pytest.raises(AuthorityAway):
            await held(one, "second", 30)
        server.process.send_signal(signal.SIGCONT)
        assert await held(one, "third", 30)
        assert not await held(two, "fourth", 31)
        assert await held(two, "fifth", 30)


@pytest.mark.parametrize("loss", ["restart", "emptied"])
async def test_what_is_held_is_told_anew_before_more_is_lent(server: Valkey, loss: str) -> None:
    """After a restart, which may have lost writes, and after a flush: nothing is lent until both have told."""
    records = Records()
    async with sharing(server.url, records) as (one, two):
        assert await held(one, "settled", 50)
        settle(one, records, "settled", 20)
        await one.borrowing.tell(one.shares)
        assert await held(two, "held", 60)
        if loss == "restart":
            server.kill()
            server.start()
        else:
            await client_flush(server)
        await one.generations.look()
        assert not one.generations.is_open(one.shares.share(BUDGET))
        await two.generations.look()
        await one.generations.look()
        assert not await held(one, "too much", 21)
        assert await held(one, "the rest", 20)
        (balance,) = one.ledger.balances([BUDGET])
        assert (balance.used, balance.held, balance.left) == (20, 80, 0)


async def test_a_replica_that_lacks_the_last_second_takes_over(server: Valkey) -> None:
    """What it never heard of was lent all the same: those who hold it say so, before more is lent."""
    records = Records()
    async with fault_proxy(server.port) as replication, fault_proxy(server.port) as way, client(server) as asked:
        await asked.config_set("repl-diskless-sync-delay", "0")
        with valkey_server("--replicaof", "127.0.0.1", str(replication.port)) as replica:
            url = f"redis://127.0.0.1:{way.port}/0"
            async with sharing(url, records) as (one, two):
                assert await held(one, "settled", 50)
                settle(one, records, "settled", 20)
                await one.borrowing.tell(one.shares)
                await asked.set("said last", 1)
                assert await asked.wait(1, 4_000) == 1
                replication.drop()
                assert await held(two, "never heard of", 60)
                server.kill()
                async with client(replica) as promoted:
                    await promoted.replicaof("NO", "ONE")
                    assert await promoted.exists(*[key async for key in promoted.scan_iter("headgate:*")])
                way.target = ("127.0.0.1", replica.port)
                way.cut()
                await looked(one, two)
                assert not await held(one, "too much", 21)
                assert await held(one, "the rest", 20)


async def test_two_versions_at_once(server: Valkey) -> None:
    """While processes are replaced, some have other functions than the rest: they share as ever."""
    newer = SOURCE + "\n-- of the next version\n"
    async with sharing(server.url, sources={"two": newer}) as (one, two):
        assert await held(one, "first", 60)
        assert not await held(two, "second", 41)
        assert await held(two, "third", 40)
        one.ledger.void("first")
        await one.borrowing.tell(one.shares)
        two.ledger.void("third")
        await two.borrowing.tell(two.shares)
        await two.generations.end()
        await looked(one, two)
        assert await held(two, "fourth", 100)
        async with client(server) as asked:
            libraries = {each[b"library_name"] for each in map(named, await asked.function_list())}
    assert len(libraries) == 2


def named(listed: Any) -> dict[bytes, Any]:
    return listed if isinstance(listed, dict) else dict(zip(listed[::2], listed[1::2], strict=True))


async def client_flush(server: Valkey) -> None:
    redis = client(server)
    await redis.flushall()
    await redis.aclose()


async def test_functions_are_loaded_again(server: Valkey) -> None:
    """Where they were flushed, or the server is a new one."""
    async with sharing(server.url) as (one, _):
        redis = client(server)
        await redis.function_flush("SYNC")
        await redis.aclose()
        assert await held(one, "first", 40)


async def test_a_full_server_lends_nothing(server: Valkey) -> None:
    """Out of memory is away, and names itself."""
    async with sharing(server.url) as (one, _):
        redis = client(server)
        await redis.config_set("maxmemory", "1")
        await redis.aclose()
        with pytest.raises(AuthorityAway, match="maxmemory"):
            await held(one, "first", 40)


async def test_a_cluster_spreads_allowances() -> None:
    """One call over twenty allowances, on three servers: all or nothing is decided here."""
    async with valkey_cluster() as cluster, sharing(cluster.url) as (one, two):
        assert await held(one, "first", 60, MANY)
        assert not await held(two, "second", 60, MANY)
        assert await held(two, "third", 40, MANY)
        one.ledger.void("first")
        await one.borrowing.tell(one.shares)
        assert await held(two, "fourth", 60, MANY)
