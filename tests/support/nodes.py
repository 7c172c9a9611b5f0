"""Gateways that share allowances, as objects in the test's own loop: one PostgreSQL, one Valkey, one provider, and each
its own data directory."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from headgate.bootstrap import Gateway, open_gateway
from headgate.bootstrap.sharing import Sharing
from headgate.settings import Settings
from headgate.tenancy import keys
from headgate.tenancy.founding import found
from headgate.tenancy.vault import MasterKey, Vault
from tests.support.databases import create_postgres_database
from tests.support.plane import Plane, Play
from tests.support.raw_server import Peer, RawServer


class Nodes:
    """`planes` by name. The first one founds the organization."""

    def __init__(self, directory: Path, database_url: str, redis_url: str, provider_url: str, **settings: Any) -> None:
        self._directory = directory
        self.database_url = database_url
        self._urls: dict[str, Any] = {"database_url": database_url, "redis_url": redis_url}
        self._provider_url = provider_url
        self._settings = settings
        self._vault = Vault([MasterKey.generate()])
        self._admin_key = ""
        self.planes: dict[str, Plane] = {}
        self.asked: list[dict[str, Any]] = []
        self._news = asyncio.Condition()

    async def start(self, name: str) -> Plane:
        """On what an earlier one of this name left."""
        directory = self._directory / name
        directory.mkdir(exist_ok=True)
        gateway = await open_gateway(Settings(data_dir=directory, **self._urls, **self._settings), self._vault)
        if not self._admin_key:
            admin = keys.mint(gateway.pepper)
            assert await found(gateway.administration, admin) is not None
            self._admin_key = admin.text
        self.planes[name] = Plane(gateway, self._admin_key, self._provider_url, self.asked)
        return self.planes[name]

    async def stop(self, name: str) -> None:
        """An orderly end."""
        await _ended(self.planes.pop(name).gateway)

    async def heard(self, body: dict[str, Any]) -> None:
        """A call has reached the provider."""
        async with self._news:
            self.asked.append(body)
            self._news.notify_all()

    async def reached(self, calls: int) -> None:
        """Return when so many calls have reached the provider."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.asked) >= calls)

    def sharing(self, name: str) -> Sharing:
        """How that gateway borrows."""
        found = self.planes[name].gateway.sharing
        assert found is not None
        return found

    async def close(self) -> None:
        for name in list(self.planes):
            await self.stop(name)


async def _ended(gateway: Gateway) -> None:
    await gateway.drain(0)
    await gateway.close()


@asynccontextmanager
async def open_nodes(
    directory: Path, postgres_url: str, redis_url: str, play: Play, *names: str, **settings: Any
) -> AsyncIterator[Nodes]:
    """With a founded organization, and nothing in it, on a database of its own."""
    opened: list[Nodes] = []

    async def script(peer: Peer) -> None:
        while True:
            _, received = await peer.request()
            body = json.loads(received)
            await opened[0].heard(body)
            await play(peer, body)

    async with AsyncExitStack() as closing:
        provider = await closing.enter_async_context(RawServer(script))
        database_url = await create_postgres_database(postgres_url, schema=True)
        nodes = Nodes(directory, database_url, redis_url, f"http://127.0.0.1:{provider.port}", **settings)
        opened.append(nodes)
        closing.push_async_callback(nodes.close)
        for name in names:
            await nodes.start(name)
        yield nodes
