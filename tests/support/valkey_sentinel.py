"""A primary, a replica and one Sentinel that watches them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from tests.support.valkey import AT_ONCE, Valkey, valkey_server

SERVICE = "mymaster"


@dataclass(frozen=True, slots=True)
class Watched:
    """`url` names the Sentinel and the service."""

    primary: Valkey
    replica: Valkey
    sentinel: Valkey

    @property
    def url(self) -> str:
        return f"redis+sentinel://127.0.0.1:{self.sentinel.port}/{SERVICE}"

    async def fail_over(self) -> None:
        """The primary is killed; returns once the Sentinel tells of the other."""
        self.primary.kill()
        async with _client(self.sentinel) as sentinel:
            await sentinel.execute_command("SENTINEL", "FAILOVER", SERVICE)
            await _until(lambda: _primary_is(sentinel, self.replica.port))


def _client(server: Valkey) -> Any:
    return Redis(port=server.port, protocol=2)


async def _primary_is(sentinel: Any, port: int) -> bool:
    found = _named(await sentinel.execute_command("SENTINEL", "MASTER", SERVICE))
    return (int(found[b"port"]), found[b"flags"]) == (port, b"master")


async def _follows(sentinel: Any) -> bool:
    """Whether the Sentinel has found a replica that has everything."""
    found = await sentinel.execute_command("SENTINEL", "REPLICAS", SERVICE)
    return any(_named(each)[b"master-link-status"] == b"ok" for each in found)


def _named(found: Sequence[bytes]) -> dict[bytes, bytes]:
    return dict(zip(found[::2], found[1::2], strict=True))


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(600):
        if await holds():
            return
        await asyncio.sleep(0.05)  # why: a Sentinel tells nobody when it is ready
    raise AssertionError("the Sentinel is not ready after 30 s")


@asynccontextmanager
async def valkey_sentinel() -> AsyncIterator[Watched]:
    """Yields them once the Sentinel knows both."""
    with ExitStack() as servers:
        primary = servers.enter_context(valkey_server(*AT_ONCE))
        replica = servers.enter_context(valkey_server("--replicaof", "127.0.0.1", str(primary.port), *AT_ONCE))
        sentinel = servers.enter_context(valkey_server(sentinel_of=primary.port))
        async with _client(sentinel) as asked:
            await _until(lambda: _follows(asked))
        yield Watched(primary, replica, sentinel)
