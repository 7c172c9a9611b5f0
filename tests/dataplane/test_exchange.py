"""The exchange: bodies in, answers out, and clients that leave."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from headgate.base.errors import TimedOut, TooLarge, UnsupportedMedia
from headgate.dataplane.edge import EdgeLimits
from headgate.dataplane.exchange import ClientGone, ClientStalled, Exchange
from tests.support.served import Caller, departure, left, serving

HOST = b"Host: gateway.test\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
DOORS = pytest.mark.parametrize("asgi", [False, True], ids=["direct", "asgi"])
"""Both adapters keep the promise: the one on our own connections, and the one over ASGI messages."""
LEAVE = {"fin": Caller.close, "half close": Caller.half_close, "rst": Caller.reset}


@DOORS
async def test_the_head_is_as_it_was_sent(asgi: bool) -> None:
    """Names in lower case, repeated headers in order, path decoded once."""
    seen: list[Exchange] = []

    async def handler(exchange: Exchange) -> None:
        seen.append(exchange)
        assert (exchange.started, exchange.gone) == (False, False)
        await exchange.respond(204, [], b"")
        assert exchange.started

    async with serving(handler, asgi=asgi) as server, Caller.to(server) as caller:
        await caller.send(b"PUT /a%20b%2520?q=%20 HTTP/1.1\r\n" + HOST + b"X-Two: 1\r\nx-two: 2 \r\n\r\n")
        assert (await caller.reply()).status == 204
    exchange = seen[0]
    assert (exchange.method, exchange.path, exchange.query) == ("PUT", "/a b%20", "q=%20")
    assert (exchange.header(b"x-two"), exchange.headers_all(b"x-two")) == (b"1", [b"1", b"2"])
    assert (exchange.header(b"absent"), exchange.headers_all(b"absent")) == (None, [])


@pytest.mark.parametrize("size", [0, 1, 100_000, 5_000_000])
@pytest.mark.parametrize("chunked", [True, False])
@DOORS
async def test_a_body_arrives_whole(size: int, chunked: bool, asgi: bool) -> None:
    """Whatever its size and framing, up to exactly the limit."""

    async def handler(exchange: Exchange) -> None:
        await exchange.respond(200, [], await exchange.body(size, 10))

    body = bytes(range(256)) * (size // 256 + 1)
    body = body[:size]
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % size
    data = b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in (body[i : i + 9999] for i in range(0, size, 9999)))
    async with serving(handler, asgi=asgi) as server, Caller.to(server) as caller:
        for _ in range(2):
            await caller.send(b"POST / HTTP/1.1\r\n" + HOST + framing + b"\r\n\r\n")
            await caller.send(data + b"0\r\n\r\n" if chunked else body)
            assert (await caller.reply()).body == body


@pytest.mark.parametrize("framing", [b"Content-Length: 101", b"Transfer-Encoding: chunked"])
@DOORS
async def test_a_body_beyond_the_limit_is_refused(framing: bytes, asgi: bool) -> None:
    """By what it announces, or as soon as it turns out."""

    async def handler(exchange: Exchange) -> None:
        with pytest.raises(TooLarge) as caught:
            await exchange.body(100, 5)
        assert caught.value.details == {"limit_bytes": 100}
        await exchange.respond(413, [], b"no")

    async with serving(handler, asgi=asgi) as server, Caller.to(server) as caller:
        await caller.send(b"POST / HTTP/1.1\r\n" + HOST + framing + b"\r\n\r\n65\r\n" + b"x" * 101)
        assert (await caller.reply()).status == 413


@DOORS
async def test_a_body_that_does_not_arrive_is_given_up(asgi: bool) -> None:
    """The client may have announced more than it sends."""

    async def handler(exchange: Exchange) -> None:
        with pytest.raises(TimedOut):
            await exchange.body(100, 0.05)
        await exchange.respond(408, [], b"late")

    async with serving(handler, asgi=asgi) as server, Caller.to(server) as caller:
        await caller.send(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 10\r\n\r\nhalf")
        assert (await caller.reply()).status == 408


@DOORS
async def test_encoded_bodies_are_refused(asgi: bool) -> None:
    """A megabyte of gzip may be a gigabyte of JSON: only `identity` is taken."""

    async def handler(exchange: Exchange) -> None:
        try:
            await exchange.respond(200, [], await exchange.body(100, 5))
        except UnsupportedMedia as error:
            await exchange.respond(error.status, [], (error.param or "").encode())

    async with serving(handler, asgi=asgi) as server:
        for lines, status in (
            (b"Content-Encoding: identity\r\n", 200),
            (b"Content-Encoding: gzip\r\n", 415),
            (b"Content-Encoding: identity\r\nContent-Encoding: br\r\n", 415),
            (b"Content-Encoding: gzip, identity\r\n", 415),
        ):
            async with Caller.to(server) as caller:
                await caller.send(b"POST / HTTP/1.1\r\n" + HOST + lines + b"Content-Length: 2\r\n\r\nhi")
                reply = await caller.reply()
                assert (reply.status, reply.body) == (status, b"hi" if status == 200 else b"content-encoding")


@DOORS
async def test_a_stream_is_delivered_as_it_is_written(asgi: bool) -> None:
    """Each part is with the client before the next is written."""
    received = asyncio.Event()

    async def handler(exchange: Exchange) -> None:
        await exchange.start(200, [(b"content-type", b"text/event-stream")])
        await exchange.write(b"data: 1\n\n")
        await received.wait()
        await exchange.write(b"data: 2\n\n")
        await exchange.end()

    async with serving(handler, asgi=asgi) as server, Caller.to(server) as caller:
        await caller.send(GET)
        assert b"content-type: text/event-stream" in await caller.head()
        chunks = caller.chunks()
        assert await anext(chunks) == b"data: 1\n\n"
        received.set()
        assert [chunk async for chunk in chunks] == [b"data: 2\n\n"]


async def gone_in_body(exchange: Exchange, here: asyncio.Event) -> None:
    here.set()
    await exchange.body(1000, 5)


async def gone_before_start(exchange: Exchange, here: asyncio.Event) -> None:
    await exchange.body(1000, 5)
    here.set()
    await departure(exchange)
    await exchange.respond(200, [], b"nobody reads this")


async def gone_in_silence(exchange: Exchange, here: asyncio.Event) -> None:
    await exchange.body(1000, 5)
    await exchange.start(200, [])
    await exchange.write(b"x")
    here.set()
    await departure(exchange)
    await exchange.write(b"y")


async def gone_while_writing(exchange: Exchange, here: asyncio.Event) -> None:
    await exchange.body(1000, 5)
    await exchange.start(200, [])
    here.set()
    while True:
        await exchange.write(b"x" * 65536)


Phase = Callable[[Exchange, asyncio.Event], Awaitable[None]]


@pytest.mark.parametrize("leave", LEAVE)
@pytest.mark.parametrize("phase", [gone_in_body, gone_before_start, gone_in_silence, gone_while_writing])
@DOORS
async def test_a_client_that_leaves_is_noticed_in_every_phase(phase: Phase, leave: str, asgi: bool) -> None:
    """By FIN or RST; while its body is awaited, while nothing happens, and while it does not read."""
    here, noticed = asyncio.Event(), asyncio.Event()
    called = []

    async def handler(exchange: Exchange) -> None:
        exchange.on_gone(lambda: called.append(exchange.gone))
        with pytest.raises(ClientGone) as caught:
            await phase(exchange, here)
        assert not isinstance(caught.value, ClientStalled)
        assert exchange.gone
        exchange.on_gone(lambda: called.append(exchange.gone))
        noticed.set()

    async with serving(handler, asgi=asgi) as server, Caller.to(server) as caller:
        body = b"" if phase is gone_in_body else b"hi"
        await caller.send(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\n\r\n" + body)
        await here.wait()
        LEAVE[leave](caller)
        async with asyncio.timeout(1):
            await noticed.wait()
    assert called == [True, True]


@DOORS
async def test_a_client_that_leaves_after_its_answer_is_not_reported(asgi: bool) -> None:
    """The watch ends with the answer; the next call of the connection has its own."""
    called = []

    async def handler(exchange: Exchange) -> None:
        exchange.on_gone(lambda: called.append(exchange.path))
        await exchange.respond(200, [], b"")
        if exchange.path == "/2":
            answered.set()

    answered = asyncio.Event()
    async with serving(handler, asgi=asgi) as server, Caller.to(server) as caller:
        for path in (b"/1", b"/2"):
            await caller.send(b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"\r\n")
            await caller.reply()
        await answered.wait()
        caller.reset()
        await left(server, 0)
    assert called == []


@DOORS
async def test_the_call_under_way_learns_of_it_also_behind_pipelined_ones(asgi: bool) -> None:
    """The client has sent more requests already; it is the first whose answer nobody will read."""
    here, noticed = asyncio.Event(), asyncio.Event()
    served = []

    async def handler(exchange: Exchange) -> None:
        served.append(exchange.path)
        await exchange.body(0, 5)
        here.set()
        await departure(exchange)
        noticed.set()

    async with serving(handler, asgi=asgi) as server, Caller.to(server) as caller:
        await caller.send(b"GET /1 HTTP/1.1\r\n" + HOST + b"\r\nGET /2 HTTP/1.1\r\n" + HOST + b"\r\n")
        await here.wait()
        caller.reset()
        async with asyncio.timeout(1):
            await noticed.wait()
    assert served == ["/1"]


async def test_a_client_that_stops_reading_is_cut_off() -> None:
    """Little is buffered for it, and after the write deadline the connection is closed."""
    written = 0
    stalled = asyncio.Event()

    async def forever(exchange: Exchange) -> None:
        nonlocal written
        while True:
            await exchange.write(b"x" * 10_000)
            written += 10_000

    async def handler(exchange: Exchange) -> None:
        await exchange.start(200, [])
        with pytest.raises(ClientStalled):
            await forever(exchange)
        stalled.set()

    limits = EdgeLimits(write_s=0.3)
    async with serving(handler, limits) as server, Caller.to(server) as caller:
        caller.limit_receive_buffer()
        caller.stop_reading()
        await caller.send(GET)
        await stalled.wait()
        await left(server, 0)
    assert written < 1_000_000


@DOORS
async def test_a_client_that_reads_slowly_is_served(asgi: bool) -> None:
    """The deadline is for those who take nothing at all."""

    async def handler(exchange: Exchange) -> None:
        await exchange.start(200, [])
        for _ in range(50):
            await exchange.write(b"x" * 20_000)
        await exchange.end()

    async with serving(handler, EdgeLimits(write_s=1), asgi=asgi) as server, Caller.to(server) as caller:
        await caller.send(GET)
        await caller.head()
        size = 0
        async for chunk in caller.chunks():
            size += len(chunk)
            await asyncio.sleep(0.02)  # why: a reader slower than the writer, and never slower than the deadline
        assert size == 1_000_000


async def test_a_finished_answer_that_nobody_takes_does_not_stay() -> None:
    """The last bytes of a closing connection wait no longer than any other."""

    async def handler(exchange: Exchange) -> None:
        await exchange.respond(200, [], b"x" * 3_000_000)
        answered.set()

    answered = asyncio.Event()

    async with serving(handler, EdgeLimits(write_s=0.2)) as server, Caller.to(server) as caller:
        caller.limit_receive_buffer()
        caller.stop_reading()
        await caller.send(b"GET / HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n")
        await answered.wait()
        async with asyncio.timeout(3):
            await left(server, 0)
