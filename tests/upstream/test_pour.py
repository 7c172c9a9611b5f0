"""A body handed to a sink in the tick in which it comes."""

import asyncio

import pytest

from headgate.upstream.client import Client, Deadlines, Failed, Request
from headgate.upstream.guard import Guard
from headgate.upstream.origin import Origin
from tests.support.raw_server import Peer, RawServer

DEADLINES = Deadlines(connect_s=5, first_byte_s=5, idle_s=5, total_s=30)
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


def request_to(server: RawServer) -> Request:
    return Request(Origin.parse(f"http://127.0.0.1:{server.port}"), b"POST", b"/", [], b"{}")


async def test_a_sink_gets_every_part_once_and_in_order_however_often_it_stops() -> None:
    """Parts that come while nobody pours wait for the next pour; nothing is lost or doubled."""
    parts = [b"part %d." % number for number in range(60)]
    got: list[bytes] = []
    taken = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED)
        for part in parts:
            taken.clear()
            await peer.send(b"%x\r\n%b\r\n" % (len(part), part))
            await taken.wait()
        await peer.send(b"0\r\n\r\n")
        await peer.gone()

    def sink(data: bytes) -> bool:
        got.append(data)
        taken.set()
        return len(got) % 3 != 0

    async with RawServer(script) as server:
        client = Client(guard=Guard())
        answer = await client.send(request_to(server), DEADLINES)
        stops = 0
        while await answer.pour(sink):
            stops += 1
        assert got == parts
        assert stops == 20
        await client.close()


async def test_an_answer_that_breaks_off_is_told_after_what_came() -> None:
    """`Failed`, once the sink has had the rest."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED + b"3\r\nabc\r\n")
        peer.reset()

    async with RawServer(script) as server:
        client = Client(guard=Guard())
        answer = await client.send(request_to(server), DEADLINES)
        got: list[bytes] = []

        def sink(data: bytes) -> bool:
            got.append(data)
            return True

        with pytest.raises(Failed) as failed:
            await answer.pour(sink)
        assert failed.value.kind == "reset"
        assert b"".join(got) in (b"abc", b"")  # a reset may throw away what was not read yet
        await client.close()


async def test_what_the_sink_raises_comes_out_of_the_pour() -> None:
    """Not into the event loop, and the connection is the caller's to close."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED + b"3\r\nabc\r\n")
        await peer.gone()

    def sink(data: bytes) -> bool:
        raise ValueError(data)

    async with RawServer(script) as server:
        client = Client(guard=Guard())
        answer = await client.send(request_to(server), DEADLINES)
        with pytest.raises(ValueError, match="abc"):
            await answer.pour(sink)
        answer.close()
        await client.close()


async def test_a_pour_that_is_cancelled_closes_the_connection() -> None:
    """What comes afterwards belongs to nobody."""
    told = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED + b"3\r\nabc\r\n")
        await peer.gone()
        told.set()

    async with RawServer(script) as server:
        client = Client(guard=Guard())
        answer = await client.send(request_to(server), DEADLINES)
        came = asyncio.Event()

        def sink(data: bytes) -> bool:
            came.set()
            return True

        pouring = asyncio.get_running_loop().create_task(answer.pour(sink))
        await came.wait()
        pouring.cancel()
        with pytest.raises(asyncio.CancelledError):
            await pouring
        await told.wait()
        await client.close()
