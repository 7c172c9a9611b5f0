"""The HTTP server: uvicorn with our edge, and without its hand on signals."""

import asyncio
import contextlib
import socket
from collections.abc import Generator
from typing import Any, Final

import uvicorn

from headgate.base.clock import Clock, SystemClock
from headgate.dataplane.direct import Calls
from headgate.dataplane.edge import EdgeConfig, EdgeLimits, EdgeProtocol

SEND_BUFFER: Final = 64 * 1024
"""Bytes the kernel keeps for a client that reads slowly. Left to itself it keeps megabytes for each stream."""

_OPTIONS: Final = (
    (socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),  # a client that vanished without a word is found by its silence
    *(
        (socket.IPPROTO_TCP, getattr(socket, name), value)
        for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
        if hasattr(socket, name)
    ),
)


class Server(uvicorn.Server):
    """`await serve()` runs until `should_exit` is set. When to stop is the caller's to decide: signals are not touched.

    To drain: `stop_accepting()`, wait for the calls under way, set `should_exit`.
    """

    config: EdgeConfig

    def __init__(self, config: EdgeConfig) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        """It listens."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in self._listeners():
            for level, option, value in _OPTIONS:  # accepted connections inherit them
                listener.setsockopt(level, option, value)
        self.ready.set()

    @property
    def port(self) -> int:
        """The port it listens on, once `ready`."""
        return int(self._listeners()[0].getsockname()[1])

    def stop_listening(self) -> None:
        """Connections that are there stay, and may begin one more call each: its answer says that it is the last."""
        self.config.leaving = True
        for server in self.servers:
            server.close()

    def stop_accepting(self) -> None:
        """Close the listeners and the connections at rest; those with a call under way close after its answer."""
        self.stop_listening()
        for connection in list(self.server_state.connections):
            connection.shutdown()

    def _listeners(self) -> list[socket.socket]:
        return [listener for server in self.servers for listener in server.sockets]


def make_server(
    app: Any,
    host: str,
    port: int,
    *,
    calls: Calls | None = None,
    limits: EdgeLimits | None = None,
    clock: Clock | None = None,
    drain_s: int | None = 30,
    **tls: Any,
) -> Server:
    """A server for an ASGI application, and for `calls`, which go past it. Port 0 takes a free one.

    `drain_s` bounds how long `should_exit` waits for answers under way. `tls` takes uvicorn's `ssl_*` settings.
    """
    config = EdgeConfig(
        app,
        host=host,
        port=port,
        http=EdgeProtocol,
        ws="none",
        lifespan="auto",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=drain_s,
        **tls,
    )
    config.calls = calls
    config.limits = limits or EdgeLimits()
    config.clock = clock or SystemClock()
    config.timeout_keep_alive = config.limits.idle_s  # type: ignore[assignment]  # a number of seconds, whole or not
    return Server(config)
