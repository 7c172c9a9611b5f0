"""The server as a whole: options of its sockets, draining, TLS."""

import asyncio
import signal
import socket
from pathlib import Path

from headgate.dataplane.exchange import Exchange
from headgate.dataplane.server import SEND_BUFFER
from tests.support.certificates import Authority
from tests.support.served import Caller, serving

GET = b"GET / HTTP/1.1\r\nHost: gateway.test\r\n\r\n"


async def ok(exchange: Exchange) -> None:
    await exchange.respond(200, [], b"ok")


async def test_accepted_connections_have_small_buffers_and_no_delay() -> None:
    """So a stalled stream pins kilobytes, a chunk is never held back, and a vanished client is found."""
    async with serving(ok) as server, Caller.to(server) as caller:
        await caller.send(GET)
        await caller.reply()
        (connection,) = server.server_state.connections
        sock = connection.transport.get_extra_info("socket")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * SEND_BUFFER
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


async def test_draining_finishes_what_is_under_way_and_takes_nothing_new() -> None:
    """Connections at rest are closed, calls under way get their answers and then close, new ones are refused."""
    here, gate = asyncio.Event(), asyncio.Event()

    async def handler(exchange: Exchange) -> None:
        here.set()
        await gate.wait()
        await ok(exchange)

    async with serving(handler) as server, Caller.to(server) as busy, Caller.to(server) as idle:
        await busy.send(GET)
        await here.wait()
        port = server.port
        server.stop_accepting()
        assert await idle.rest() == b""
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            pass
        else:
            writer.close()
            raise AssertionError("accepted")
        gate.set()
        reply = await busy.reply()
        assert (reply.body, reply.headers["connection"]) == (b"ok", "close")
        assert await busy.rest() == b""


async def test_who_leaves_answers_once_more_on_each_connection() -> None:
    """And says so, so that a proxy takes the next call elsewhere before the connection is closed under it."""
    async with serving(ok) as server, Caller.to(server) as caller:
        await caller.send(GET)
        assert "connection" not in (await caller.reply()).headers
        server.stop_listening()
        await caller.send(GET)
        reply = await caller.reply()
        assert (reply.body, reply.headers["connection"]) == (b"ok", "close")
        assert await caller.rest() == b""


async def test_signals_are_left_to_the_caller() -> None:
    """What SIGTERM means is decided by who runs the server."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    async with serving(ok):
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


async def test_tls_is_served(tmp_path: Path) -> None:
    """With uvicorn's own settings for certificate and key."""
    authority = Authority(tmp_path)
    pem = authority.issue("gateway.test")
    async with (
        serving(ok, ssl_certfile=pem, ssl_keyfile=pem) as server,
        Caller.to(server, ssl=authority.client(), server_hostname="gateway.test") as caller,
    ):
        for _ in range(2):
            await caller.send(GET)
            assert (await caller.reply()).body == b"ok"
        await caller.send(b"nonsense\r\n\r\n")
        assert (await caller.reply()).status == 400
        assert await caller.rest() == b""
