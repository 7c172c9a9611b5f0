"""Three Valkeys that are one cluster."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from redis.asyncio import Redis
from redis.crc import key_slot

from tests.support.valkey import AT_ONCE, Valkey, valkey_server

_SLOTS = ((0, 5_460), (5_461, 10_922), (10_923, 16_383))


def owner_of(key: str) -> int:
    """The number of the server that has the slot of this key at first."""
    return next(number for number, (first, last) in enumerate(_SLOTS) if first <= key_slot(key.encode()) <= last)


@dataclass(frozen=True, slots=True)
class Cluster:
    """`url` names one of the servers, `clients` each of them."""

    servers: Sequence[Valkey]
    clients: Sequence[Any]

    @property
    def url(self) -> str:
        return f"redis+cluster://127.0.0.1:{self.servers[0].port}"

    async def begin_move(self, key: str, to: int) -> int:
        """The slot of this key is on its way to another server, and its keys are where they were; the slot."""
        slot, source = key_slot(key.encode()), owner_of(key)
        for number, state, other in ((to, "IMPORTING", source), (source, "MIGRATING", to)):
            await self.clients[number].execute_command("CLUSTER", "SETSLOT", slot, state, await self._id(other))
        return slot

    async def end_move(self, slot: int, source: int, to: int) -> None:
        """Its keys go over, and all know of it."""
        keys = await self.clients[source].execute_command("CLUSTER", "GETKEYSINSLOT", slot, 1000)
        if keys:
            where = ("127.0.0.1", self.servers[to].port)
            await self.clients[source].execute_command("MIGRATE", *where, "", 0, 5000, "KEYS", *keys)
        owner = await self._id(to)
        for number in (to, source, *range(len(self.clients))):
            await self.clients[number].execute_command("CLUSTER", "SETSLOT", slot, "NODE", owner)

    async def take_over(self) -> None:
        """The replica has the slots of its primary from now on; returns once the first knows."""
        await self.clients[-1].execute_command("CLUSTER", "FAILOVER", "TAKEOVER")
        port = self.servers[-1].port
        await _until(partial(_has_slots, self.clients[0], port))

    async def _id(self, number: int) -> bytes:
        found: bytes = await self.clients[number].execute_command("CLUSTER", "MYID")
        return found


@asynccontextmanager
async def valkey_cluster(*, replica_of: int | None = None) -> AsyncIterator[Cluster]:
    """Yields it once all know each other. `replica_of`: a fourth server is the replica of this one."""
    with ExitStack() as servers:
        count = len(_SLOTS) + (replica_of is not None)
        running = [servers.enter_context(valkey_server("--cluster-enabled", "yes", *AT_ONCE)) for _ in range(count)]
        clients: list[Any] = [Redis(port=each.port, protocol=2) for each in running]
        try:
            for number, (client, slots) in enumerate(zip(clients, _SLOTS, strict=False)):
                await client.execute_command("CLUSTER", "ADDSLOTSRANGE", *slots)
                await client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
                await client.execute_command("CLUSTER", "MEET", "127.0.0.1", running[0].port, running[0].bus)
            if replica_of is not None:
                await clients[-1].execute_command("CLUSTER", "MEET", "127.0.0.1", running[0].port, running[0].bus)
            for client in clients:
                await _until(partial(_is_whole, client))
            if replica_of is not None:
                primary = await clients[replica_of].execute_command("CLUSTER", "MYID")
                await clients[-1].execute_command("CLUSTER", "REPLICATE", primary)
                await _until(partial(_has_replica, clients[replica_of]))
            yield Cluster(running, clients)
        finally:
            for client in clients:
                await client.aclose()


async def _is_whole(client: Any) -> bool:
    slots = await client.execute_command("CLUSTER", "SLOTS")
    return len(slots) == len(_SLOTS) and b"state:ok" in await client.execute_command("CLUSTER", "INFO")


async def _has_replica(client: Any) -> bool:
    found = await client.info("replication")
    return bool(found.get("slave0", {}).get("state") == "online")


async def _has_slots(client: Any, port: int) -> bool:
    slots = await client.execute_command("CLUSTER", "SLOTS")
    return any(primary[1] == port for _, _, primary, *_ in slots)


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(600):
        if await holds():
            return
        await asyncio.sleep(0.05)  # why: a cluster tells nobody when it is ready
    raise AssertionError("the cluster is not ready after 30 s")
