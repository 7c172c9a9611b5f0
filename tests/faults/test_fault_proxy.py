"""The fault proxy does to a connection what it says, and nothing else."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.fault_proxy import FaultProxy, fault_proxy, fault_proxy_beside
from tests.support.services import free_port

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
SILENCE_S = 0.1


class Echo:
    """A server that sends back what it gets, and knows what it got."""

    def __init__(self) -> None:
        self.got = b""
        self.was_reset = asyncio.Event()
        self.port = 0
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        try:
            while data := await reader.read(65536):
                self.got += data
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            self.was_reset.set()
        writer.close()


@asynccontextmanager
async def echo() -> AsyncIterator[Echo]:
    echo = Echo()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    echo.port = server.sockets[0].getsockname()[1]
    yield echo
    server.close()
    for writer in echo.writers:
        writer.transport.abort()


@asynccontextmanager
async def through(port: int) -> AsyncIterator[tuple[FaultProxy, Streams]]:
    async with fault_proxy(port) as proxy:
        streams = await asyncio.open_connection("127.0.0.1", proxy.port)
        yield proxy, streams
        streams[1].transport.abort()


async def said(streams: Streams, data: bytes, within_s: float = 5) -> bytes:
    """What comes back for it; "" if nothing does in that time."""
    reader, writer = streams
    writer.write(data)
    try:
        return await asyncio.wait_for(reader.readexactly(len(data)), within_s)
    except TimeoutError:
        return b""


async def test_without_faults_bytes_and_ends_go_through() -> None:
    """Much of it, and a half-close arrives as one."""
    async with echo() as server, through(server.port) as (_, streams):
        assert await said(streams, b"x" * 1_000_000) == b"x" * 1_000_000
        streams[1].write_eof()
        assert await streams[0].read() == b""


async def test_a_cut_resets_both_ends() -> None:
    """Whoever comes then gets through."""
    async with echo() as server, through(server.port) as (proxy, streams):
        assert await said(streams, b"hello") == b"hello"
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            await streams[0].readexactly(1)
        async with asyncio.timeout(5):
            await server.was_reset.wait()
        again = await asyncio.open_connection("127.0.0.1", proxy.port)
        assert await said(again, b"hello") == b"hello"
        again[1].close()
        assert proxy.connections == 2


async def test_what_is_lost_one_way_arrives_the_other_way() -> None:
    """The server gets the question, its answer is lost; after healing the connection is reset, because of the gap."""
    async with echo() as server, through(server.port) as (proxy, streams):
        proxy.drop(up=False)
        assert await said(streams, b"heard", SILENCE_S) == b""
        assert server.got == b"heard"
        proxy.heal()
        with pytest.raises(ConnectionResetError):
            await streams[0].readexactly(1)


async def test_what_is_lost_on_its_way_there_is_never_heard() -> None:
    """And nobody is told."""
    async with echo() as server, through(server.port) as (proxy, streams):
        proxy.drop(down=False)
        assert await said(streams, b"lost", SILENCE_S) == b""
        assert server.got == b""


async def test_a_delay_is_of_time_and_not_of_throughput() -> None:
    """Twenty words sent at once come back after two delays, not after forty."""
    async with echo() as server, through(server.port) as (proxy, streams):
        proxy.delay(0.1)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        assert await said(streams, b"word " * 20) == b"word " * 20
        assert 0.2 <= loop.time() - begun < 2


async def test_a_limit_bounds_throughput() -> None:
    """Twenty kilobytes at 50 kB/s take 0.4 s, each way one after the other or at once."""
    async with echo() as server, through(server.port) as (proxy, streams):
        proxy.limit(50_000)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        assert await said(streams, b"x" * 20_000) == b"x" * 20_000
        assert loop.time() - begun >= 0.35


async def test_a_pause_holds_everything_back_and_loses_nothing() -> None:
    """In order, once it is over."""
    async with echo() as server, through(server.port) as (proxy, streams):
        proxy.pause()
        assert await said(streams, b"one ", SILENCE_S) == b""
        streams[1].write(b"two")
        proxy.heal()
        assert await streams[0].readexactly(7) == b"one two"


async def test_who_is_refused_is_reset() -> None:
    """Also where there is no server at all."""
    async with echo() as server, fault_proxy(server.port) as proxy:
        proxy.refuse()
        await is_reset(proxy)
    async with fault_proxy(free_port()) as proxy:
        await is_reset(proxy)


async def is_reset(proxy: FaultProxy) -> None:
    with closing(socket.socket()) as client:
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, ("127.0.0.1", proxy.port))
        with pytest.raises(ConnectionResetError):
            await loop.sock_recv(client, 1)


async def test_it_can_end_tls(tmp_path: Path) -> None:
    """The client speaks TLS, the server behind does not."""
    authority = Authority(tmp_path)
    async with echo() as server, fault_proxy(server.port, tls=authority.server("127.0.0.1")) as proxy:
        streams = await asyncio.open_connection("127.0.0.1", proxy.port, ssl=authority.client())
        assert await said(streams, b"hello") == b"hello"
        streams[1].close()
        await streams[1].wait_closed()


def test_it_runs_beside_a_test_without_an_event_loop() -> None:
    """In a thread of its own; its faults may be set from any other."""
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as server,
        fault_proxy_beside(server.getsockname()[1]) as proxy,
        closing(socket.create_connection(("127.0.0.1", proxy.port), 5)) as client,
    ):
        accepted, _ = server.accept()
        with closing(accepted):
            client.sendall(b"hello")
            assert accepted.recv(5) == b"hello"
            proxy.cut()
            with pytest.raises(ConnectionResetError):
                client.recv(1)
