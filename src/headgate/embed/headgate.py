"""The gateway as a part of another application, with all that a process of its own would see to."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import structlog

from headgate.base.tasks import Tasks
from headgate.bootstrap import Gateway, open_gateway
from headgate.dataplane.asgi import Receive, Scope, Send
from headgate.dataplane.socketless import Answer, Turn
from headgate.process.data_dir import DataDirLock
from headgate.process.first_start import first_start, preset_key
from headgate.process.master_key import load_master_keys
from headgate.settings import load
from headgate.tenancy.vault import Vault

log = structlog.get_logger("headgate.embed")


class Headgate:
    """An ASGI application, to be mounted in another one. It takes calls while `lifespan` or `running` lasts.

    Settings come from `HEADGATE_*` and `headgate.toml`, as `headgate serve` reads them; what is given here wins. Those
    of the server (`host`, `port`, `workers`, connections) are the host's own affair. Raises `BadSetting`.
    """

    def __init__(self, **settings: object) -> None:
        self.settings = load(os.environ, settings)
        preset_key(self.settings)
        self._gateway: Gateway | None = None
        self._tasks = Tasks(lambda name, error: log.error("call crashed", call=name, exc_info=error))

    @property
    def gateway(self) -> Gateway:
        """Raises `RuntimeError` where it does not run."""
        if self._gateway is None:
            raise RuntimeError("Headgate does not run: start the application with `lifespan=headgate.lifespan`.")
        return self._gateway

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Headgate"]:
        """From the lock on the data directory to the last flush, as `headgate serve`: what a crash left is settled
        first, calls under way are waited for at the end, up to `drain_timeout_s`.

        Raises `Conflict` where another process has the data directory, and what else a start raises.
        """
        with DataDirLock.take(self.settings.data_dir):
            gateway = await open_gateway(self.settings, Vault(load_master_keys(self.settings)))
            try:
                await first_start(self.settings, gateway, ask=False)
                self._gateway = gateway
                yield self
            finally:
                self._gateway = None
                await gateway.drain(self.settings.drain_timeout_s)
                await self._tasks.close()
                await gateway.close()

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """`running`, as FastAPI and Starlette take it. An application with a lifespan of its own enters `running` in
        it."""
        async with self.running():
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.gateway.app(scope, receive, send)

    @asynccontextmanager
    async def call(
        self, method: str, path: str, body: object = None, *, key: str, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[Answer]:
        """One call without a socket, for `key`: `body` is JSON unless it is bytes. The answer is there once its status
        is; its parts come as they are made. Whoever leaves the block early has hung up, and the call is settled as for
        any client that does."""
        turn = Turn(method, path, body, {"authorization": f"Bearer {key}", **(headers or {})})
        self._tasks.start(turn.run(self.gateway.app), f"{method} {path}")
        try:
            yield await turn.answer()
        finally:
            turn.leave()
