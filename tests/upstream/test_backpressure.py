"""A reader that lags makes the provider wait; what waits in between is bounded."""

import asyncio
from dataclasses import replace

import pytest

from headgate.upstream.answer import BUFFER
from headgate.upstream.client import Client, Deadlines, Request
from headgate.upstream.guard import Guard
from headgate.upstream.origin import Origin
from tests.support.raw_server import Peer, RawServer

DEADLINES = Deadlines(connect_s=5, first_byte_s=5, idle_s=5, total_s=30)
TOTAL = 50_000_000
IN_FLIGHT = 8_000_000
"""What the kernel's buffers of both ends and our own may hold together; a tenth of the body."""


def request_to(server: RawServer) -> Request:
    return Request(Origin.parse(f"http://127.0.0.1:{server.port}"), b"POST", b"/", [], b"{}")


@pytest.mark.parametrize("chunked", [True, False])
async def test_a_provider_waits_for_a_reader_that_does_not_read(chunked: bool) -> None:
    """50 MB are offered at full speed: next to nothing is taken until somebody reads, and then all of it arrives."""
    sent = 0
    still = asyncio.Event()

    async def script(peer: Peer) -> None:
        nonlocal sent
        await peer.request()
        framing = b"transfer-encoding: chunked" if chunked else b"content-length: %d" % TOTAL
        await peer.send(b"HTTP/1.1 200 OK\r\n%b\r\n\r\n" % framing)
        piece = b"x" * 50_000
        while sent < TOTAL:
            try:
                async with asyncio.timeout(0.3):
                    await peer.send(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            except TimeoutError:
                still.set()  # the bytes are in the writer's buffer already: only the draining goes on
                await peer.send(b"")
            sent += len(piece)
        await peer.send(b"0\r\n\r\n" if chunked else b"")
        await peer.gone()

    async with RawServer(script) as server:
        client = Client(guard=Guard())
        answer = await client.send(request_to(server), DEADLINES)
        await still.wait()
        assert sent < IN_FLIGHT
        size = largest = 0
        while data := await answer.next():
            size += len(data)
            largest = max(largest, len(data))
        assert size == TOTAL
        assert largest <= BUFFER + 256 * 1024
        await client.close()


async def test_a_reader_that_lags_is_not_held_against_the_provider() -> None:
    """While reading is paused nobody listens, so the provider's silence is not counted."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.answer(b"x" * 10_000_000)
        await peer.gone()

    async with RawServer(script) as server:
        client = Client(guard=Guard())
        answer = await client.send(request_to(server), replace(DEADLINES, idle_s=0.1))
        await asyncio.sleep(0.35)  # why: three idle deadlines go by while nobody reads
        size = 0
        while data := await answer.next():
            size += len(data)
        assert size == 10_000_000
        await client.close()
