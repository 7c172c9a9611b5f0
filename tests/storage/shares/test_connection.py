"""The ways to the authority: each of them lends, bounds its waiting, and finds the server again."""

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from headgate.storage.shares.address import RedisAddress
from headgate.storage.shares.authority import Authority, AuthorityAway, Evicts, group_of
from headgate.storage.shares.connection import connect
from tests.support.certificates import Authority as Certificates
from tests.support.fault_proxy import fault_proxy
from tests.support.ledger import ManualClock
from tests.support.sharing import BUDGET, Records, held, looked, settle, sharing
from tests.support.valkey import Valkey, valkey_server
from tests.support.valkey_cluster import owner_of, valkey_cluster
from tests.support.valkey_sentinel import valkey_sentinel

RIGHTS = "~headgate:* +fcall +function|load +info +time +del +pexpire +hget +hmget +hset +hsetnx +hdel +hexists +hkeys"
"""What docs/operating/scale.md says a user needs."""
IN_A_CLUSTER = "+cluster|slots +command"
KEY = f"headgate:{{{group_of(BUDGET.id)}}}"
"""In whose slot everything about the budget is."""


@pytest.fixture
def server() -> Iterator[Valkey]:
    with valkey_server() as running:
        yield running


async def told(server: Valkey, *command: str) -> Any:
    redis: Any = Redis.from_url(server.url, protocol=2)
    try:
        return await redis.execute_command(*command)
    finally:
        await redis.aclose()


async def looked_at(url: str) -> None:
    """One round trip. Raises `AuthorityAway`."""
    authority = Authority(connect(RedisAddress.parse(url)), ManualClock())
    try:
        await authority.look()
    finally:
        await authority.close()


async def test_a_user_with_the_rights_that_are_documented(server: Valkey) -> None:
    """Can do all that is done: load the functions, lend, begin a generation after all was lost."""
    await told(server, "ACL", "SETUSER", "gate", "on", ">p4ss:word", "resetkeys", "-@all", *RIGHTS.split(" "))
    await told(server, "ACL", "SETUSER", "default", "resetpass", ">other", "on")
    url = server.url.replace("://", "://gate:p4ss%3Aword@")
    records = Records()
    async with sharing(url, records) as (one, two):
        assert await held(one, "first", 60)
        assert not await held(two, "second", 41)
        settle(one, records, "first", 60)
        await one.borrowing.tell(one.shares)
    admin = Redis.from_url(server.url.replace("://", "://:other@"), protocol=2)
    await admin.flushall()
    await admin.function_flush("SYNC")
    await admin.aclose()
    async with sharing(url, records) as (one, _):
        assert not await held(one, "third", 101)


async def test_a_user_of_a_cluster_with_the_rights_that_are_documented() -> None:
    """The same, and it may look at the cluster."""
    async with valkey_cluster() as cluster:
        for client in cluster.clients:
            rights = f"{RIGHTS} {IN_A_CLUSTER}".split(" ")
            await client.execute_command("ACL", "SETUSER", "gate", "on", ">secret", "resetkeys", "-@all", *rights)
        async with sharing(cluster.url.replace("://", "://gate:secret@")) as (one, two):
            assert await held(one, "first", 60)
            assert not await held(two, "second", 41)


@pytest.mark.parametrize(("who", "why"), [("gate:wrong", "invalid username-password pair"), ("", "Authentication")])
async def test_who_may_not_is_told(server: Valkey, who: str, why: str) -> None:
    """A wrong password, or none."""
    await told(server, "ACL", "SETUSER", "gate", "on", ">p4ss:word", "+@all", "~*")
    await told(server, "CONFIG", "SET", "requirepass", "other")
    with pytest.raises(AuthorityAway, match=why):
        await looked_at(server.url.replace("://", f"://{who}@" if who else "://"))


async def test_tls_is_verified(server: Valkey, tmp_path: Path) -> None:
    """By the authority that the URL names, and for the host that it names; without one, by the machine's."""
    certificates = Certificates(tmp_path)
    trusted = certificates.file()
    async with fault_proxy(server.port, tls=certificates.server("127.0.0.1")) as proxy:
        url = f"rediss://127.0.0.1:{proxy.port}/0"
        async with sharing(f"{url}?ssl_ca_certs={trusted}") as (one, two):
            assert await held(one, "first", 60)
            assert not await held(two, "second", 41)
        with pytest.raises(AuthorityAway, match="CERTIFICATE_VERIFY_FAILED"):
            await looked_at(url)
    async with fault_proxy(server.port, tls=certificates.server("other.example.com")) as proxy:
        with pytest.raises(AuthorityAway, match="CERTIFICATE_VERIFY_FAILED"):
            await looked_at(f"rediss://127.0.0.1:{proxy.port}/0?ssl_ca_certs={trusted}")


async def test_a_client_shows_its_certificate_where_that_is_asked(server: Valkey, tmp_path: Path) -> None:
    """With `ssl_certfile` and `ssl_keyfile`; without them the server ends it."""
    certificates = Certificates(tmp_path)
    trusted = certificates.file()
    context = certificates.server("127.0.0.1")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(trusted)
    own = certificates.issue("headgate")
    async with fault_proxy(server.port, tls=context) as proxy:
        url = f"rediss://127.0.0.1:{proxy.port}/0?ssl_ca_certs={trusted}"
        await looked_at(f"{url}&ssl_certfile={own}&ssl_keyfile={own}")
        with pytest.raises(AuthorityAway):
            await looked_at(url)


async def test_a_connection_that_was_cut_is_made_again(server: Valkey) -> None:
    """And the message said once more, which changes nothing: it may have been heard."""
    async with fault_proxy(server.port) as proxy:
        url = f"redis://127.0.0.1:{proxy.port}/0"
        async with sharing(server.url, one=url) as (one, two):
            assert await held(one, "first", 40)
            before = proxy.connections
            proxy.cut()
            assert await held(one, "second", 30)
            assert proxy.connections == before + 1
            assert not await held(two, "third", 31)
            assert await held(two, "fourth", 30)


async def test_waiting_is_bounded(server: Valkey) -> None:
    """Where nothing answers, on a connection that is there and on one that is to be made."""
    async with fault_proxy(server.port) as proxy:
        url = f"redis://127.0.0.1:{proxy.port}/0?socket_timeout=0.2"
        authority = Authority(connect(RedisAddress.parse(url)), ManualClock())
        await authority.look()
        loop = asyncio.get_running_loop()
        proxy.drop()
        for _ in range(2):
            begun = loop.time()
            with pytest.raises(AuthorityAway, match="Timeout"):
                await authority.look()
            assert loop.time() - begun < 2
        proxy.heal()
        await authority.look()
        await authority.close()


async def test_connections_are_few_however_many_ask(server: Valkey) -> None:
    """A hundred round trips at once wait for four connections."""
    authority = Authority(connect(RedisAddress.parse(server.url)), ManualClock())
    await asyncio.gather(*(authority.look() for _ in range(100)))
    assert len((await told(server, "CLIENT", "LIST", "TYPE", "normal")).strip().split(b"\n")) <= 5
    await authority.close()


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
async def test_a_server_that_evicts_is_refused(server: Valkey, policy: str) -> None:
    """It would forget what it has lent: nothing is lent there, and a start says so."""
    await told(server, "CONFIG", "SET", "maxmemory-policy", policy)
    authority = Authority(connect(RedisAddress.parse(server.url)), ManualClock())
    with pytest.raises(Evicts, match=f"its maxmemory-policy is {policy}"):
        await authority.check()
    with pytest.raises(Evicts, match="Set it to noeviction"):
        async with sharing(server.url):
            raise AssertionError("it lends")
    await told(server, "CONFIG", "SET", "maxmemory-policy", "noeviction")
    await authority.check()
    await authority.close()


async def test_a_failover_is_followed_and_what_is_held_is_told_anew() -> None:
    """Of a primary that Sentinels watch. The other may lack its last writes: nothing is lent until all have told."""
    records = Records()
    async with valkey_sentinel() as watched, sharing(watched.url, records) as (one, two):
        assert await held(one, "settled", 50)
        settle(one, records, "settled", 20)
        await one.borrowing.tell(one.shares)
        assert await held(two, "held", 60)
        await watched.fail_over()
        await looked(one, two)
        assert not await held(one, "too much", 21)
        assert await held(one, "the rest", 20)


async def test_a_service_that_sentinels_do_not_know_is_named() -> None:
    """With its name."""
    async with valkey_sentinel() as watched:
        with pytest.raises(AuthorityAway, match="No master found for 'other'"):
            await looked_at(watched.url.replace("mymaster", "other"))


async def test_a_slot_that_moves_is_followed() -> None:
    """While it moves and after: never over the cap. The server it comes to lends nothing until all have told."""
    records = Records()
    async with valkey_cluster() as cluster, sharing(cluster.url, records) as (one, two):
        assert await held(one, "settled", 50)
        settle(one, records, "settled", 20)
        await one.borrowing.tell(one.shares)
        assert await held(two, "held", 60)
        source = owner_of(KEY)
        to = (source + 1) % 3
        slot = await cluster.begin_move(KEY, to)
        assert not await held(one, "while it moves", 21)
        await cluster.end_move(slot, source, to)
        await looked(one, two)
        assert not await held(one, "too much", 21)
        assert await held(one, "the rest", 20)


async def test_a_server_of_a_cluster_that_was_replaced_is_found() -> None:
    """It is killed and its replica takes over: the map is read anew, and what was held is told before more is lent."""
    async with valkey_cluster(replica_of=owner_of(KEY)) as cluster, sharing(cluster.url) as (one, two):
        assert await held(two, "held", 60)
        cluster.servers[owner_of(KEY)].kill()
        with pytest.raises(AuthorityAway):
            await looked(one)
        await cluster.take_over()
        await looked(one, two)
        assert not await held(one, "too much", 41)
        assert await held(one, "the rest", 40)
