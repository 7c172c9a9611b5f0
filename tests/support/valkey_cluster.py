"""Three Valkeys that are one cluster."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import Any

from redis.asyncio import Redis

from tests.support.valkey import valkey_server

_SLOTS = ((0, 5_460), (5_461, 10_922), (10_923, 16_383))


@asynccontextmanager
async def valkey_cluster() -> AsyncIterator[str]:
    """Yields the URL of one of them, once all know each other."""
    with ExitStack() as servers:
        running = [servers.enter_context(valkey_server("--cluster-enabled", "yes")) for _ in _SLOTS]
        clients: list[Any] = [Redis(port=each.port) for each in running]
        try:
            for number, (client, slots) in enumerate(zip(clients, _SLOTS, strict=True)):
                await client.execute_command("CLUSTER", "ADDSLOTSRANGE", *slots)
                await client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
                await client.execute_command("CLUSTER", "MEET", "127.0.0.1", running[0].port, running[0].bus)
            async with asyncio.timeout(20):
                for client in clients:
                    await _whole(client)
        finally:
            for client in clients:
                await client.aclose()
        yield running[0].url.removesuffix("/0")


async def _whole(client: Any) -> None:
    """Polls: a cluster tells nobody when it is ready."""
    for _ in range(400):
        slots = await client.execute_command("CLUSTER", "SLOTS")
        if len(slots) == len(_SLOTS) and b"state:ok" in await client.execute_command("CLUSTER", "INFO"):
            return
        await asyncio.sleep(0.05)  # why: a cluster tells nobody when it is ready
