"""Connections at rest, connections that died there, and callers who wait for one."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from headgate.upstream.client import Client, Deadlines, Failed, Limits, Request
from headgate.upstream.guard import Guard
from headgate.upstream.origin import Origin
from tests.support.raw_server import Peer, RawServer

DEADLINES = Deadlines(connect_s=5, first_byte_s=5, idle_s=5, total_s=10)
SECOND = 1_000_000_000


class HandClock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.time = SECOND

    def now(self) -> int:
        return self.time

    monotonic = now


@asynccontextmanager
async def open_client(limits: Limits | None = None, clock: HandClock | None = None) -> AsyncIterator[Client]:
    client = Client(guard=Guard(), limits=limits, clock=clock)
    try:
        yield client
    finally:
        await client.close()


def request_to(server: RawServer, body: bytes = b"{}") -> Request:
    return Request(Origin.parse(f"http://127.0.0.1:{server.port}"), b"POST", b"/", [], body)


async def call(client: Client, server: RawServer, body: bytes = b"{}") -> bytes:
    return await (await client.send(request_to(server, body), DEADLINES)).read(1 << 30)


async def echo(peer: Peer) -> None:
    while True:
        await peer.answer((await peer.request())[1])


@pytest.mark.parametrize("by", ["fin", "rst"])
@pytest.mark.parametrize("told", [True, False])
async def test_a_connection_the_provider_closed_at_rest_is_not_used(by: str, told: bool) -> None:
    """Whether or not the event loop has come round to telling: the socket is asked before a byte is written."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.answer(b"first")
        if peer.number == 0:
            await closing.wait()
            peer.reset() if by == "rst" else peer.close()
            closed.set()
        else:
            await peer.gone()

    closing, closed = asyncio.Event(), asyncio.Event()
    async with RawServer(script) as server, open_client() as client:
        assert await call(client, server) == b"first"
        closing.set()
        await closed.wait()
        for _ in range(20 if told else 0):
            await asyncio.sleep(0)
        assert await call(client, server) == b"first"
        assert server.accepted == 2


@pytest.mark.parametrize("by", ["fin", "rst"])
async def test_a_request_that_may_have_been_billed_is_not_sent_twice(by: str) -> None:
    """A used connection that dies after taking the whole request: perhaps it was closing, perhaps the model ran.

    The caller is told which connection it was, and decides.
    """
    requests = []

    async def script(peer: Peer) -> None:
        requests.append((await peer.request())[1])
        await peer.answer(b"first")
        requests.append((await peer.request())[1])
        peer.reset() if by == "rst" else peer.close()

    async with RawServer(script) as server, open_client() as client:
        assert await call(client, server, b"1") == b"first"
        with pytest.raises(Failed) as caught:
            await call(client, server, b"2")
        assert (caught.value.kind, caught.value.sent, caught.value.reused) == ("reset", True, True)
        assert requests == [b"1", b"2"]


@pytest.mark.parametrize("by", ["fin", "rst"])
async def test_a_request_that_was_never_whole_is_sent_again_once(by: str) -> None:
    """A used connection that dies in the middle of a large upload: no provider can act upon half a body."""

    async def script(peer: Peer) -> None:
        if peer.number == 0:
            await echo_once(peer)
            await peer.receive(1000)
            peer.reset() if by == "rst" else peer.close()
        else:
            await echo_once(peer)

    async def echo_once(peer: Peer) -> None:
        await peer.answer((await peer.request())[1])

    body = b"x" * 20_000_000
    async with RawServer(script) as server, open_client() as client:
        assert await call(client, server, b"1") == b"1"
        assert await call(client, server, body) == body
        assert server.accepted == 2


async def test_a_fresh_connection_that_dies_is_not_tried_again() -> None:
    """One repetition at most, and only for connections that had rested."""

    async def script(peer: Peer) -> None:
        if peer.number == 0:
            await peer.request()
            await peer.answer(b"")
        await peer.receive(1000)
        peer.reset()

    async with RawServer(script) as server, open_client() as client:
        await call(client, server)
        with pytest.raises(Failed) as caught:
            await call(client, server, b"x" * 20_000_000)
        assert (caught.value.kind, caught.value.reused, server.accepted) == ("reset", False, 2)


async def test_bytes_nobody_asked_for_end_a_resting_connection() -> None:
    """An answer that arrives before its question would be read as the answer to the next one."""
    stuffing, stuffed = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.answer(b"mine")
        if peer.number == 0:
            await stuffing.wait()
            await peer.answer(b"somebody else's")
            stuffed.set()
        await peer.gone()

    async with RawServer(script) as server, open_client() as client:
        assert await call(client, server) == b"mine"
        stuffing.set()
        await stuffed.wait()
        assert await call(client, server) == b"mine"
        assert server.accepted == 2


async def test_an_answer_with_something_behind_it_is_the_connections_last() -> None:
    """The answer counts, what follows it is dropped with the connection."""

    async def script(peer: Peer) -> None:
        await peer.request()
        answer = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"
        await peer.send(answer + b"mine" + answer + b"hers")
        await peer.gone()

    async with RawServer(script) as server, open_client() as client:
        for number in range(1, 4):
            assert await call(client, server) == b"mine"
            assert server.accepted == number


async def test_a_connection_that_rested_too_long_is_replaced() -> None:
    """Providers close idle connections without warning; ours are given up before that."""
    clock = HandClock()
    async with RawServer(echo) as server, open_client(Limits(idle_s=30), clock) as client:
        await call(client, server)
        clock.time += 29 * SECOND
        await call(client, server)
        assert server.accepted == 1
        clock.time += 31 * SECOND
        await call(client, server)
        assert server.accepted == 2


async def test_resting_connections_are_closed_without_being_asked_for() -> None:
    """A provider that is not called any more keeps no connections from us."""
    closed = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.answer(b"")
        await peer.gone()
        closed.set()

    async with RawServer(script) as server, open_client(Limits(idle_s=0.05)) as client:
        await call(client, server)
        await closed.wait()


async def test_the_connection_used_last_is_used_next() -> None:
    """So that after a burst the surplus rests, expires and goes."""
    gate = asyncio.Event()

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            if peer.number == 0:
                await gate.wait()
            await peer.answer(b"%d" % peer.number)

    async with RawServer(script) as server, open_client() as client:
        slow = in_background(call(client, server))
        await server.reached(1)
        assert await call(client, server) == b"1"
        gate.set()
        assert await slow == b"0"
        for _ in range(3):
            assert await call(client, server) == b"0"


def in_background(coroutine: Coroutine[Any, Any, bytes]) -> asyncio.Task[bytes]:
    return asyncio.get_running_loop().create_task(coroutine)


async def test_never_more_connections_than_allowed() -> None:
    """The surplus waits its turn, in order, and everyone is served."""
    most = now = 0

    async def script(peer: Peer) -> None:
        nonlocal most, now
        while True:
            body = (await peer.request())[1]
            now += 1
            most = max(most, now)
            await asyncio.sleep(0)
            now -= 1
            await peer.answer(body)

    async with RawServer(script) as server, open_client(Limits(connections=3)) as client:
        bodies = [b"%d" % n for n in range(200)]
        assert await asyncio.gather(*[call(client, server, body) for body in bodies]) == bodies
        assert server.accepted == 3
        assert most <= 3


async def test_a_place_that_becomes_free_goes_to_who_waits() -> None:
    """Also when the connection itself is of no further use, and when dialling fails."""

    async def script(peer: Peer) -> None:
        _, body = await peer.request()
        await peer.answer(body, head=b"connection: close\r\n")

    async with RawServer(script) as server, open_client(Limits(connections=2)) as client:
        bodies = [b"%d" % n for n in range(50)]
        assert await asyncio.gather(*[call(client, server, body) for body in bodies]) == bodies
        assert server.accepted == 50


async def test_dialling_that_fails_leaves_its_place() -> None:
    """A provider that is away does not fill its pool with ghosts."""
    async with RawServer(echo) as server:
        request = request_to(server)
    async with open_client(Limits(connections=2)) as client:
        results = await asyncio.gather(*[client.send(request, DEADLINES) for _ in range(20)], return_exceptions=True)
        assert [getattr(result, "kind", None) for result in results] == ["connect"] * 20


async def test_the_queue_is_bounded_in_length_and_time() -> None:
    """Beyond it the answer is `pool_full` with nothing sent, at once or at the connect deadline."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.gone()

    async with RawServer(script) as server, open_client(Limits(connections=1, waiters=1)) as client:
        short = replace(DEADLINES, connect_s=0.1)
        holder = in_background(call(client, server))
        await server.reached(1)
        results = await asyncio.gather(
            *[client.send(request_to(server), short) for _ in range(3)], return_exceptions=True
        )
        assert [(r.kind, r.sent) for r in results if isinstance(r, Failed)] == [("pool_full", False)] * 3
        holder.cancel()
        await asyncio.gather(holder, return_exceptions=True)


async def test_a_waiter_that_leaves_does_not_take_its_turn_along() -> None:
    """Cancelled in the queue, or in the very moment it is served: the next in line gets the place."""
    gate = asyncio.Event()

    async def script(peer: Peer) -> None:
        while True:
            _, body = await peer.request()
            await gate.wait()
            await peer.answer(body)

    async with RawServer(script) as server, open_client(Limits(connections=1)) as client:
        calls = [in_background(call(client, server, b"%d" % n)) for n in range(6)]
        await server.reached(1)
        calls[1].cancel()
        gate.set()
        await calls[0]
        calls[2].cancel()
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert [result for result in results if isinstance(result, bytes)][-3:] == [b"3", b"4", b"5"]


async def test_origins_do_not_share_connections() -> None:
    """Not even two names of one address: a credential is bound to its origin."""

    async def resolve(host: str) -> list[str]:
        return ["127.0.0.1"]

    async with RawServer(echo) as server:
        client = Client(guard=Guard(resolve=resolve))
        for name in ("a.example", "b.example", "a.example"):
            origin = Origin.parse(f"http://{name}:{server.port}/v1")
            answer = await client.send(Request(origin, b"POST", b"/", [], name.encode()), DEADLINES)
            assert await answer.read(100) == name.encode()
        assert server.accepted == 2
        await client.close()
