"""The client through which a process speaks to the authority: bounded in connections and in time.

What breaks is connected anew, and what was under way is said once more. That is safe because every message to the
authority may come twice (docs/decisions/0017-borrowed-shares.md). What takes too long is not said again: whoever
waited asks when it likes.
"""

from typing import Any, Final

from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster, Sentinel, SSLConnection
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Broken

from headgate.storage.shares.address import Kind, RedisAddress

CONNECTIONS: Final = 4
"""A process has one round trip under way at a time, besides what begins and ends generations."""


class _Primary(SentinelConnectionPool, BlockingConnectionPool):
    """Connections to whichever server is the primary, asked of the Sentinels whenever one is made."""

    async def disconnect(self, inuse_connections: bool = True) -> None:
        await super().disconnect(inuse_connections)
        if inuse_connections:
            await self.sentinel_manager.aclose()


def connect(address: RedisAddress) -> "Redis | RedisCluster":
    """Connects when it is first used. Close it with `aclose`."""
    within: dict[str, Any] = {
        "protocol": 2,
        "socket_timeout": address.timeout_s,
        "socket_connect_timeout": address.timeout_s,
        "socket_keepalive": True,
    }
    secured: dict[str, Any] = {} if address.tls is None else {"ssl": True, **address.tls}
    who: dict[str, Any] = {"username": address.user, "password": address.password, **within}
    if address.kind is Kind.CLUSTER:
        nodes = [ClusterNode(host, port) for host, port in address.hosts]
        return RedisCluster(startup_nodes=nodes, max_connections=CONNECTIONS, retry=_once_more(), **who, **secured)
    pool: BlockingConnectionPool
    bounds: dict[str, Any] = {
        "db": address.database,
        "max_connections": CONNECTIONS,
        "timeout": address.timeout_s,
        "retry": _once_more(),
    }
    if address.kind is Kind.SENTINEL:
        asks = {"username": address.sentinel_user, "password": address.sentinel_password, **within, **secured}
        asks["retry"] = Retry(NoBackoff(), 0)  # the next one is asked instead
        sentinel = Sentinel(address.hosts, sentinel_kwargs=asks)  # type: ignore[no-untyped-call]
        pool = _Primary(address.service, sentinel, **bounds, **who, **secured)  # type: ignore[no-untyped-call]
    else:
        [(host, port)] = address.hosts
        encrypted: dict[str, Any] = {} if address.tls is None else {"connection_class": SSLConnection, **address.tls}
        pool = BlockingConnectionPool(host=host, port=port, **bounds, **who, **encrypted)
    return Redis.from_pool(pool)


def _once_more() -> Retry:
    return Retry(NoBackoff(), 1, supported_errors=(Broken,))
