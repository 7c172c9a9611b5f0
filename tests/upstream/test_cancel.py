"""Cancelled at every await, with a canary in every call: no answer ever reaches another caller."""

import asyncio
import random
from collections.abc import AsyncIterator

from headgate.upstream.client import Answer, Client, Deadlines, Failed, Limits, Request
from headgate.upstream.guard import Guard
from headgate.upstream.origin import Origin
from tests.support.raw_server import Peer, RawServer

CALLS = 4000
DEADLINES = Deadlines(connect_s=20, first_byte_s=20, idle_s=20, total_s=60)


async def canaries(peer: Peer) -> None:
    """Answers with what was asked, plain or chunked, in one piece or with pauses, sometimes breaking off."""
    chance = random.Random(peer.number)
    while True:
        _, body = await peer.request()
        for _ in range(chance.randrange(3)):
            await asyncio.sleep(0)
        match chance.randrange(10):
            case 0:
                await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body))
                await asyncio.sleep(0)
                await peer.send(body[:5])
                await asyncio.sleep(0)
                await peer.send(body[5:])
            case 1 | 2 | 3:
                await peer.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
                for start in range(0, len(body), 7):
                    piece = body[start : start + 7]
                    await peer.send(b"%x\r\n%b\r\n" % (len(piece), piece))
                    await asyncio.sleep(0)
                await peer.send(b"0\r\n\r\n")
            case 4 if body.startswith(b"canary-") and chance.random() < 0.2:
                await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body[:3]))
                peer.reset()
                return
            case _:
                await peer.answer(body)


async def test_no_answer_reaches_another_caller() -> None:
    """Calls are cancelled after a random number of loop turns: while queued, dialling, sending, at head and body.

    Whoever got an answer got its own; the others were cancelled or told of a reset; and the pool still works.
    """
    chance = random.Random(7)
    delivered = cancelled = broken = 0
    async with RawServer(canaries) as server:
        client = Client(guard=Guard(), limits=Limits(connections=8))
        origin = Origin.parse(f"http://127.0.0.1:{server.port}")

        async def call(number: int, name: bytes = b"canary") -> None:
            nonlocal delivered
            canary = b"%b-%d-" % (name, number) + b"x" * (number % 40)
            answer = await client.send(Request(origin, b"POST", b"/", [], canary), DEADLINES)
            got = await answer.read(1000) if number % 2 else b"".join([data async for data in _pieces(answer)])
            assert got == canary
            delivered += 1

        async def caller(numbers: range) -> None:
            nonlocal cancelled, broken
            for number in numbers:
                task = asyncio.get_running_loop().create_task(call(number))
                if chance.random() < 0.5:
                    for _ in range(chance.randrange(25)):
                        await asyncio.sleep(0)
                    task.cancel()
                try:
                    await task
                except asyncio.CancelledError:
                    cancelled += 1
                except Failed as failed:
                    broken += failed.kind == "reset"

        await asyncio.gather(*[caller(range(start, CALLS, 20)) for start in range(20)])
        await asyncio.gather(*[call(number, b"calm") for number in range(50)])
        await client.close()
    assert delivered > CALLS / 4
    assert cancelled > CALLS / 10
    assert broken > 0
    assert delivered + cancelled + broken == CALLS + 50


async def _pieces(answer: Answer) -> AsyncIterator[bytes]:
    while data := await answer.next():
        yield data
