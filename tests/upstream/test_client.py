"""The upstream client against a provider that does as it likes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from headgate.upstream.client import Client, Deadlines, Failed, Limits, Request
from headgate.upstream.guard import Guard
from headgate.upstream.origin import Origin
from tests.support.raw_server import Peer, RawServer

DEADLINES = Deadlines(connect_s=5, first_byte_s=5, idle_s=5, total_s=10)


@asynccontextmanager
async def open_client(limits: Limits | None = None) -> AsyncIterator[Client]:
    client = Client(guard=Guard(), limits=limits)
    try:
        yield client
    finally:
        await client.close()


def request_to(server: RawServer, body: bytes = b"{}", path: bytes = b"/chat") -> Request:
    origin = Origin.parse(f"http://127.0.0.1:{server.port}/v1")
    return Request(origin, b"POST", path, [(b"authorization", b"Bearer k")], body)


async def failure(client: Client, request: Request, deadlines: Deadlines = DEADLINES) -> Failed:
    async def call() -> bytes:
        return await (await client.send(request, deadlines)).read(1 << 30)

    with pytest.raises(Failed) as caught:
        await call()
    return caught.value


async def echo(peer: Peer) -> None:
    while True:
        await peer.answer((await peer.request())[1])


async def test_calls_one_after_the_other_use_one_connection() -> None:
    """A connection goes back to the pool with the last byte of the answer, before the answer is read."""
    async with RawServer(echo) as server, open_client() as client:
        for body in (b"one", b"", b"three" * 1000):
            answer = await client.send(request_to(server, body), DEADLINES)
            assert (answer.status, answer.header(b"content-length")) == (200, b"%d" % len(body))
            assert await answer.read(10_000) == body
            assert await answer.next() == b""
        assert server.accepted == 1


async def test_the_head_goes_out_as_rendered() -> None:
    """The provider sees our headers, its own Host, and no wish for compression."""
    heads = []

    async def script(peer: Peer) -> None:
        heads.append((await peer.request())[0])
        await peer.answer(b"")

    async with RawServer(script) as server, open_client() as client:
        await client.send(request_to(server), DEADLINES)
        lines = heads[0].split(b"\r\n")
        assert lines[0] == b"POST /v1/chat HTTP/1.1"
        assert b"host: 127.0.0.1:%d" % server.port in lines
        assert b"accept-encoding: identity" in lines
        assert b"authorization: Bearer k" in lines


async def test_chunks_are_delivered_as_they_come() -> None:
    """The consumer has the first bytes in hand before the provider sends the next."""
    seen = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n")
        await seen.wait()
        await peer.send(b"3\r\ntwo\r\n0\r\n\r\n")
        await peer.gone()

    async with RawServer(script) as server, open_client() as client:
        answer = await client.send(request_to(server), DEADLINES)
        assert await answer.next() == b"one"
        seen.set()
        assert await answer.next() == b"two"
        assert await answer.next() == b""


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_an_answer_like_any_other(status: int) -> None:
    """It is never followed: the credential belongs to the origin it was stored for."""

    async def script(peer: Peer) -> None:
        await peer.request()
        head = b"HTTP/1.1 %d Go\r\nlocation: http://127.0.0.1:%d/\r\ncontent-length: 0\r\n\r\n"
        await peer.send(head % (status, server.port))
        await peer.gone()

    async with RawServer(script) as server, open_client() as client:
        answer = await client.send(request_to(server), DEADLINES)
        assert answer.status == status
        assert server.accepted == 1


@pytest.mark.parametrize(
    "before",
    [
        b"",
        b"HTTP/1.1 20",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\ndata: \xe2\x82",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\ndata:\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\ndata:\r\n0\r\n",
    ],
)
@pytest.mark.parametrize("by", ["fin", "rst"])
async def test_a_provider_that_breaks_off_is_a_reset(before: bytes, by: str) -> None:
    """At whatever point, by FIN or RST: never a short answer that looks whole. What came of the body is delivered."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(before)
        if by == "rst":
            peer.reset()
        else:
            peer.close()

    async with RawServer(script) as server, open_client() as client:
        failed = await failure(client, request_to(server))
        assert (failed.kind, failed.sent, failed.reused) == ("reset", True, False)
        assert server.accepted == 1


async def test_a_body_that_ends_with_the_connection_is_whole_by_fin_only() -> None:
    """An old server's FIN completes its answer; a RST cuts it off."""
    for by, whole in (("fin", True), ("rst", False)):
        read = asyncio.Event()

        async def script(peer: Peer, by: str = by, read: asyncio.Event = read) -> None:
            await peer.request()
            await peer.send(b"HTTP/1.0 200 OK\r\n\r\nhello")
            await read.wait()
            peer.close() if by == "fin" else peer.reset()

        async with RawServer(script) as server, open_client() as client:
            answer = await client.send(request_to(server), DEADLINES)
            assert await answer.next() == b"hello"
            read.set()
            if whole:
                assert await answer.next() == b""
            else:
                with pytest.raises(Failed):
                    await answer.next()


async def test_what_came_before_the_break_is_delivered_first() -> None:
    """The pipeline counts what was delivered, so the bytes before the failure are not lost."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")

    async with RawServer(script) as server, open_client() as client:
        answer = await client.send(request_to(server), DEADLINES)
        assert await answer.next() == b"half"
        for _ in range(2):
            with pytest.raises(Failed) as caught:
                await answer.next()
            assert caught.value.kind == "reset"


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\nx",
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_what_is_no_answer_is_a_protocol_failure(data: bytes) -> None:
    """And the connection is closed."""
    closed = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        try:
            await peer.send(data)
            await peer.gone()
        finally:
            closed.set()

    async with RawServer(script) as server, open_client() as client:
        failed = await failure(client, request_to(server))
        assert (failed.kind, failed.sent) == ("protocol", True)
        await closed.wait()


@pytest.mark.parametrize(
    ("before", "deadlines", "kind"),
    [
        (b"", replace(DEADLINES, first_byte_s=0.05), "timeout_first_byte"),
        (b"HTTP/1.1 200 OK\r\nx: ", replace(DEADLINES, first_byte_s=0.05), "timeout_first_byte"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", replace(DEADLINES, first_byte_s=0.05), "timeout_first_byte"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", replace(DEADLINES, idle_s=0.05), "timeout_idle"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", replace(DEADLINES, idle_s=0.05), "timeout_idle"),
        (b"", replace(DEADLINES, total_s=0.05), "timeout_total"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", replace(DEADLINES, total_s=0.05), "timeout_total"),
    ],
)
async def test_each_silence_has_its_own_deadline(before: bytes, deadlines: Deadlines, kind: str) -> None:
    """Before the head, within the body, and over all; the connection is closed, so the provider can stop."""
    closed = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(before)
        await peer.gone()
        closed.set()

    async with RawServer(script) as server, open_client() as client:
        failed = await failure(client, request_to(server), deadlines)
        assert (failed.kind, failed.sent) == (kind, True)
        await closed.wait()


async def test_a_trickle_is_progress_for_the_idle_deadline_but_not_for_the_total() -> None:
    """A byte now and then keeps an answer alive until its whole time is up."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n")
        while True:
            await peer.send(b"x")
            await asyncio.sleep(0.02)  # why: well below the idle deadline, for longer than the total

    async with RawServer(script) as server, open_client() as client:
        failed = await failure(client, request_to(server), replace(DEADLINES, idle_s=0.2, total_s=0.6))
        assert failed.kind == "timeout_total"


async def test_a_head_that_trickles_is_late_all_the_same() -> None:
    """A byte of head now and then does not stretch the deadline of the first byte."""

    async def script(peer: Peer) -> None:
        await peer.request()
        for byte in b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 1000:
            await peer.send(bytes([byte]))
            await asyncio.sleep(0.02)  # why: a head that arrives all the time and takes longer than the deadline

    async with RawServer(script) as server, open_client() as client:
        failed = await failure(client, request_to(server), replace(DEADLINES, first_byte_s=0.1))
        assert failed.kind == "timeout_first_byte"


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_beyond_the_limit_is_not_read(declared: bool) -> None:
    """Neither when its length is announced, nor when it only turns out."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" if declared else b"HTTP/1.0 200 OK\r\n\r\n")
        await peer.send(b"x" * 1000)
        await peer.gone()

    async with RawServer(script) as server, open_client() as client:
        answer = await client.send(request_to(server), DEADLINES)
        with pytest.raises(Failed) as caught:
            await answer.read(999)
        assert (caught.value.kind, caught.value.sent) == ("too_large", True)


async def test_nobody_listens() -> None:
    """A refused connection is of kind `connect`: nothing was sent, nothing was billed."""
    async with RawServer(echo) as server:
        request = request_to(server)
    async with open_client() as client:
        failed = await failure(client, request)
        assert (failed.kind, failed.sent) == ("connect", False)


async def test_a_forbidden_address_is_not_connected_to() -> None:
    """The guard is on the path of every connection."""
    async with RawServer(echo) as server:
        client = Client(guard=Guard(allow_private=False))
        failed = await failure(client, request_to(server))
        assert (failed.kind, failed.sent, server.accepted) == ("blocked_address", False, 0)
        await client.close()


async def test_the_vetted_address_is_the_one_connected_to() -> None:
    """The name is looked up once: a second, different answer of the resolver (DNS rebinding) is never asked for."""
    lookups = []

    async def resolve(host: str) -> list[str]:
        lookups.append(host)
        return ["127.0.0.1"] if len(lookups) == 1 else ["169.254.169.254"]

    async with RawServer(echo) as server:
        client = Client(guard=Guard(resolve=resolve))
        origin = Origin.parse(f"http://provider.example:{server.port}/")
        answer = await client.send(Request(origin, b"POST", b"/", [], b"hello"), DEADLINES)
        assert await answer.read(10) == b"hello"
        assert lookups == ["provider.example"]
        await client.close()


async def test_the_next_address_is_tried() -> None:
    """A provider with a dead address beside a good one is reached."""

    async def resolve(host: str) -> list[str]:
        return ["127.0.0.2", "::1", "127.0.0.1"]

    async with RawServer(echo) as server:
        client = Client(guard=Guard(resolve=resolve))
        origin = Origin.parse(f"http://provider.example:{server.port}/")
        answer = await client.send(Request(origin, b"POST", b"/", [], b"hello"), DEADLINES)
        assert await answer.read(10) == b"hello"
        await client.close()


async def test_a_resolver_that_hangs_meets_the_connect_deadline() -> None:
    """Looking up the name is part of connecting."""

    async def resolve(host: str) -> list[str]:
        await asyncio.Event().wait()
        return []

    client = Client(guard=Guard(resolve=resolve))
    request = Request(Origin.parse("http://provider.example/"), b"POST", b"/", [], b"")
    failed = await failure(client, request, replace(DEADLINES, connect_s=0.05))
    assert (failed.kind, failed.sent) == ("timeout_connect", False)
    await client.close()


async def test_an_early_answer_ends_a_large_upload() -> None:
    """A provider that refuses after the head is heard at once; the half-sent connection is not used again."""

    async def script(peer: Peer) -> None:
        if peer.number:
            await echo(peer)
        await peer.receive(1000)
        await peer.send(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno")
        await peer.gone()

    async with RawServer(script) as server, open_client() as client:
        answer = await client.send(request_to(server, b"x" * 50_000_000), DEADLINES)
        assert answer.status == 413
        assert await answer.read(10) == b"no"
        answer = await client.send(request_to(server, b"again"), DEADLINES)
        assert await answer.read(10) == b"again"
        assert server.accepted == 2


async def test_a_large_upload_arrives_whole() -> None:
    """In pieces, and never more of them in memory than the provider takes."""
    async with RawServer(echo) as server, open_client() as client:
        body = bytes(range(256)) * 40_000
        answer = await client.send(request_to(server, body), DEADLINES)
        assert await answer.read(len(body)) == body


async def test_a_provider_that_takes_nothing_meets_the_idle_deadline() -> None:
    """An upload that makes no progress is given up."""

    async def script(peer: Peer) -> None:
        await peer.receive(1)
        await asyncio.Event().wait()

    async with RawServer(script) as server, open_client() as client:
        failed = await failure(client, request_to(server, b"x" * 50_000_000), replace(DEADLINES, idle_s=0.1))
        assert (failed.kind, failed.sent) == ("timeout_idle", True)


async def test_closing_an_answer_early_closes_its_connection() -> None:
    """The provider sees at once that nobody reads on, and the next call gets a fresh connection."""
    closed = asyncio.Event()

    async def script(peer: Peer) -> None:
        if peer.number:
            await echo(peer)
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")
        await peer.gone()
        closed.set()

    async with RawServer(script) as server, open_client() as client:
        answer = await client.send(request_to(server), DEADLINES)
        answer.close()
        await closed.wait()
        assert await answer.next() == b"half"
        with pytest.raises(Failed):
            await answer.next()
        answer = await client.send(request_to(server, b"again"), DEADLINES)
        assert await answer.read(10) == b"again"


async def test_closing_the_client_ends_everything() -> None:
    """Exchanges under way fail, later ones are refused, and no connection stays open."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")
        await peer.gone()

    async with RawServer(script) as server, open_client() as client:
        answer = await client.send(request_to(server), DEADLINES)
        await client.close()
        assert await answer.next() == b"half"
        with pytest.raises(Failed):
            await answer.next()
        failed = await failure(client, request_to(server))
        assert (failed.kind, failed.sent) == ("connect", False)
