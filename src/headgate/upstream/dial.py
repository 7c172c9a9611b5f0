"""Opening a connection: vetted addresses, TCP, TLS."""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from typing import Final

from headgate.upstream.connection import Connection
from headgate.upstream.failed import Failed
from headgate.upstream.guard import Address, Guard
from headgate.upstream.origin import Origin

NEXT_ADDRESS_AFTER_S: Final = 2.0
"""How long one of several addresses is tried before the next: a dead network must not eat the whole deadline."""

RECEIVE_BUFFER: Final = 256 * 1024
"""Bytes the kernel takes from a provider whose reader lags. Left to itself it would be up to 6 MB for each."""

_OPTIONS: Final = (
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),  # a model may think for minutes: keep address translators awake
    *((socket.IPPROTO_TCP, getattr(socket, name), 30) for name in ("TCP_KEEPIDLE",) if hasattr(socket, name)),
)


class Dialer:
    """Connects only where the guard lets it, and over TLS only to who proves the name."""

    def __init__(self, guard: Guard, ssl_context: ssl.SSLContext | None) -> None:
        self._guard = guard
        self._ssl_context = ssl_context

    async def dial(self, origin: Origin, connection: Connection, within_s: float) -> None:
        """Connect `connection` to the origin. Raises `Failed` with nothing sent; leaves no socket open then."""
        try:
            async with asyncio.timeout(within_s):
                addresses = await self._guard.addresses(origin)
                sock = await _connect(addresses, origin.port)
                await self._start(origin, connection, sock)
        except TimeoutError as error:
            raise Failed("timeout_connect", f"{origin.host}:{origin.port}", sent=False) from error
        except ssl.SSLError as error:
            raise Failed("tls", f"{origin.host}:{origin.port}: {error}", sent=False) from error
        except OSError as error:
            raise Failed("connect", f"{origin.host}:{origin.port}: {error.strerror or error}", sent=False) from error

    async def _start(self, origin: Origin, connection: Connection, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        if not origin.tls:
            await loop.create_connection(lambda: connection, sock=sock)
            return
        try:
            await loop.create_connection(
                lambda: connection, sock=sock, ssl=self._context(), server_hostname=origin.host
            )
        except ConnectionError as error:
            raise Failed("tls", f"{origin.host} broke off the handshake: {error}", sent=False) from error

    def _context(self) -> ssl.SSLContext:
        if self._ssl_context is None:
            self._ssl_context = ssl.create_default_context()
            self._ssl_context.set_alpn_protocols(["http/1.1"])
        return self._ssl_context


async def _connect(addresses: Sequence[Address], port: int) -> socket.socket:
    """A connected socket to the first address that takes it. Raises the last one's `OSError`."""
    for address in addresses[:-1]:
        try:
            async with asyncio.timeout(NEXT_ADDRESS_AFTER_S):
                return await _connect_one(address, port)
        except OSError:
            continue
    return await _connect_one(addresses[-1], port)


async def _connect_one(address: Address, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        for level, option, value in _OPTIONS:
            sock.setsockopt(level, option, value)
        await asyncio.get_running_loop().sock_connect(sock, (str(address), port))
    except BaseException:
        sock.close()
        raise
    return sock
