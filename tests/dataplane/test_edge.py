"""The client's connection: what is refused before anything is routed, and what runs against the clock."""

import asyncio
import json

import pytest

from headgate.dataplane.asgi import Receive, Scope, Send
from headgate.dataplane.edge import EdgeLimits, EdgeProtocol
from headgate.dataplane.exchange import ClientGone, Exchange
from headgate.dataplane.server import Server, make_server
from tests.support.served import Caller, left, mirrored, running, serving

HOST = b"Host: gateway.test\r\n"
LIMITS = EdgeLimits(body=1000, head_s=5, idle_s=5, write_s=5, linger_s=0.3)


async def refused(server: Server) -> None:
    """Return when the server takes nothing more from its one client."""
    (connection,) = server.server_state.connections
    assert isinstance(connection, EdgeProtocol)
    while not connection.refused:  # noqa: ASYNC110 - a state without an event
        await asyncio.sleep(0)


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("the application was asked")


async def nobody(exchange: Exchange) -> None:
    raise AssertionError(f"{exchange.method} {exchange.path} was routed")


REFUSED = [
    (400, b"GET / HTTP/1.1\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n"),
    (400, b"GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
    (400, b"GET http://other.test/ HTTP/1.1\r\n" + HOST + b"\r\n"),
    (400, b"CONNECT gateway.test:443 HTTP/1.1\r\n" + HOST + b"\r\n"),
    (400, b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n"),
    (400, b"GET /a#b HTTP/1.1\r\n" + HOST + b"\r\n"),
    (400, b"GET / HTTP/1.1\r\nBad Name: x\r\n" + HOST + b"\r\n"),
    (400, b"GET / HTTP/1.1\r\nX@: x\r\nX(): y\r\n" + HOST + b"\r\n"),
    (400, b"GET / HTTP/1.1\r\n: x\r\n" + HOST + b"\r\n"),
    (400, b"GET / HTTP/1.1\r\nX : x\r\n" + HOST + b"\r\n"),
    (400, b"GET / HTTP/1.1\r\nX: a\x00b\r\n" + HOST + b"\r\n"),
    (400, b"GET / HTTP/1.1\r\nX: a\r\n b\r\n" + HOST + b"\r\n"),
    (400, b"GET / HTTP/1.1\r\nX: a\rY: b\r\n" + HOST + b"\r\n"),
    (400, b"GET / HTTP/1.1\n" + b"Host: a\n\n"),
    (400, b"GET / HTTP/3.0\r\n" + HOST + b"\r\n"),
    (400, b"GET /\r\n\r\n"),
    (400, b"get / HTTP/1.1\r\n" + HOST + b"\r\n"),
    (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    (400, b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    (400, b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
    (400, b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
    (400, b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
    (400, b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 5, 5\r\n\r\nhello"),
    (400, b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: +5\r\n\r\nhello"),
    (400, b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: -5\r\n\r\nhello"),
    (400, b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 0x5\r\n\r\nhello"),
    (400, b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999999999999999999\r\n\r\nhello"),
    (400, b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    (400, b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    (400, b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    (400, b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n"),
    (400, b"POST / HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    (400, b"POST / HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nhi"),
    (413, b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1001\r\n\r\n"),
    (413, b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1001\r\nExpect: 100-continue\r\n\r\n"),
    (431, b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 100 + b"\r\n"),
    (431, b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 100_000 + b"\r\n"),
    (431, b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 66_000 + b"\r\n\r\n"),
    (431, b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 1_000_000 + b"\r\n\r\n"),
    (431, b"GET /" + b"a" * 66_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n"),
    (431, b"GET /" + b"a" * 1_000_000),
    (431, b"\r\n" * 300_000),
]


async def test_what_is_refused_is_answered_once_and_the_connection_closed() -> None:
    """Ambiguous framing, a head beyond its bounds, other protocols: one answer in our words, nothing is routed.

    A second request that hides behind the first is never served.
    """
    async with serving(nobody, LIMITS) as server:
        for status, data in REFUSED:
            async with Caller.to(server) as caller:
                await caller.send(data + b"GET /hidden HTTP/1.1\r\n" + HOST + b"\r\n")
                reply = await caller.reply()
                assert reply.status == status, data[:100]
                assert reply.headers["connection"] == "close"
                assert reply.headers["x-headgate-source"] == "gateway"
                assert reply.headers["x-headgate-request-id"].startswith("req_")
                document = json.loads(reply.body)
                assert document["status"] == "failure"
                assert document["error"]["message"] == document["message"] == document["data"]["message"]
                assert await caller.rest() == b"", data[:100]


CHUNKS = [
    b"zz\r\n",
    b"-1\r\n",
    b"5\r\nhelloX",
    b"5\nhello\n0\n\n",
    b"0x5\r\nhello\r\n",
    b"1;" + b"x" * 400_000,
]


async def test_a_body_that_turns_out_malformed_ends_the_call() -> None:
    """The call that waits for its body learns that there is nobody to answer; the client is told 400 (or 431)."""
    ended = 0

    async def handler(exchange: Exchange) -> None:
        nonlocal ended
        with pytest.raises(ClientGone):
            await mirrored(exchange)
        ended += 1

    async with serving(handler, LIMITS) as server:
        for chunk in CHUNKS:
            async with Caller.to(server) as caller:
                await caller.send(b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n" + chunk)
                assert (await caller.reply()).status in (400, 431)
                assert await caller.rest() == b""
    assert ended == len(CHUNKS)


async def test_ordinary_requests_pass() -> None:
    """Sized, chunked with trailers, cut anywhere, absolute-form, with Upgrade but without body; one after the other."""
    cases = [
        (b"GET /a/b?c=d HTTP/1.1\r\n" + HOST + b"\r\n", b"GET /a/b c=d 1.1 "),
        (b"\r\n\r\nGET / HTTP/1.1\r\n" + HOST + b"\r\n", b"GET /  1.1 "),
        (b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n" + HOST + b"\r\n", b"GET /  1.1 "),
        (b"GET http://gateway.test/x HTTP/1.1\r\n" + HOST + b"\r\n", b"GET /x  1.1 "),
        (b"POST /%41 HTTP/1.1\r\n" + HOST + b"Content-Length: 5 \r\n\r\nhello", b"POST /A  1.1 hello"),
        (
            b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: Chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nHost: t\r\n\r\n",
            b"POST /  1.1 hello",
        ),
    ]
    async with serving(mirrored, LIMITS) as server, Caller.to(server) as caller:
        for data, expected in cases:
            for size in (len(data), 1, 7):
                for start in range(0, len(data), size):
                    await caller.send(data[start : start + size])
                    await asyncio.sleep(0)
                reply = await caller.reply()
                assert (reply.status, reply.body) == (200, expected)


async def test_trailers_are_never_taken_for_headers() -> None:
    """A credential or Host behind the body would come after the checks."""
    seen = []

    async def handler(exchange: Exchange) -> None:
        await exchange.body(100, 5)
        seen.append((exchange.headers_all(b"authorization"), exchange.headers_all(b"host")))
        await exchange.respond(200, [], b"")

    head = b"POST / HTTP/1.1\r\n" + HOST + b"Authorization: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with serving(handler, LIMITS) as server, Caller.to(server) as caller:
        await caller.send(head + b"1\r\nx\r\n0\r\nAuthorization: b\r\nHost: other\r\n\r\n")
        assert (await caller.reply()).status == 200
    assert seen == [([b"a"], [b"gateway.test"])]


async def test_http_1_0_is_answered_and_closed() -> None:
    """With and without Host, also where the client would like to keep the connection."""
    async with serving(mirrored, LIMITS) as server:
        for more in (b"", HOST, HOST + b"Connection: keep-alive\r\n"):
            async with Caller.to(server) as caller:
                await caller.send(b"GET / HTTP/1.0\r\n" + more + b"\r\n")
                reply = await caller.reply()
                assert (reply.status, reply.body, reply.headers["connection"]) == (200, b"GET /  1.0 ", "close")
                assert await caller.rest() == b""


async def test_a_client_that_expects_it_is_told_to_continue() -> None:
    """When its body is wanted, and only then."""
    async with serving(mirrored, LIMITS) as server, Caller.to(server) as caller:
        await caller.send(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert (await caller.reply()).status == 100
        await caller.send(b"hi")
        assert (await caller.reply()).body == b"POST /  1.1 hi"


async def test_a_slow_head_is_given_up() -> None:
    """408 after the head's time, however steadily it trickles, also for a later request of the connection."""
    async with serving(mirrored, EdgeLimits(head_s=0.2, linger_s=0.3)) as server, Caller.to(server) as caller:
        await caller.send(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        assert (await caller.reply()).status == 200

        async def trickle() -> None:
            for byte in b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 100:
                await caller.send(bytes([byte]))
                await asyncio.sleep(0.02)  # why: a head that arrives all the time and takes longer than its deadline

        drip = asyncio.get_running_loop().create_task(trickle())
        assert (await caller.reply()).status == 408
        assert await caller.rest() == b""
        drip.cancel()
        await asyncio.gather(drip, return_exceptions=True)


async def test_a_slow_body_is_given_up_whoever_waits_for_it() -> None:
    """Also where the application sets no deadline of its own: it learns that the client is gone."""
    gone = asyncio.Event()

    async def handler(exchange: Exchange) -> None:
        with pytest.raises(ClientGone):
            await exchange.body(1000, 60)
        gone.set()

    async with serving(handler, EdgeLimits(body_s=0.1, linger_s=0.3)) as server, Caller.to(server) as caller:
        await caller.send(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 10\r\n\r\nhalf")
        assert (await caller.reply()).status == 408
        assert await caller.rest() == b""
        await gone.wait()


@pytest.mark.parametrize("before", [b"", b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"])
async def test_an_idle_connection_is_closed_without_a_word(before: bytes) -> None:
    """Whether or not it ever carried a request; there is nobody to tell."""
    async with serving(mirrored, EdgeLimits(idle_s=0.1)) as server, Caller.to(server) as caller:
        if before:
            await caller.send(before)
            await caller.reply()
        assert await caller.rest() == b""


async def test_connections_beyond_the_cap_are_told_so() -> None:
    """503 at once; those that are in go on, and a place that becomes free is given again."""
    async with serving(mirrored, EdgeLimits(connections=2, linger_s=0.2)) as server:
        request = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
        async with Caller.to(server) as first:
            async with Caller.to(server) as second:
                for caller in (first, second):
                    await caller.send(request)
                    assert (await caller.reply()).status == 200
                async with Caller.to(server) as third:
                    reply = await third.reply()
                    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
                    assert await third.rest() == b""
                await first.send(request)
                assert (await first.reply()).status == 200
            await left(server, 1)
            async with Caller.to(server) as fourth:
                await fourth.send(request)
                assert (await fourth.reply()).status == 200


async def test_pipelined_requests_are_answered_in_order_and_not_without_bound() -> None:
    """A few may wait behind the one being answered; a flood of them is cut off after it."""
    gate = asyncio.Event()

    async def handler(exchange: Exchange) -> None:
        await gate.wait()
        await exchange.respond(200, [], exchange.path.encode())

    def line(number: int) -> bytes:
        return b"GET /%d HTTP/1.1\r\n" % number + HOST + b"\r\n"

    async with serving(handler, EdgeLimits(pipelined=4, linger_s=0.3)) as server:
        async with Caller.to(server) as caller:
            await caller.send(b"".join(line(n) for n in range(5)))
            gate.set()
            assert [(await caller.reply()).body for _ in range(5)] == [b"/%d" % n for n in range(5)]
        gate.clear()
        async with Caller.to(server) as caller:
            await caller.send(b"".join(line(n) for n in range(1000)))
            await refused(server)
            gate.set()
            assert (await caller.reply()).body == b"/0"
            assert await caller.rest() == b""


async def test_garbage_behind_a_request_does_not_break_into_its_answer() -> None:
    """The answer under way is sent whole; then the connection ends."""
    gate = asyncio.Event()

    async def handler(exchange: Exchange) -> None:
        await exchange.start(200, [])
        await exchange.write(b"first")
        await gate.wait()
        await exchange.write(b"second")
        await exchange.end()

    async with serving(handler, LIMITS) as server, Caller.to(server) as caller:
        await caller.send(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        await caller.head()
        chunks = caller.chunks()
        assert await anext(chunks) == b"first"
        await caller.send(b"\x00garbage\r\n\r\n")
        await refused(server)
        gate.set()
        assert [chunk async for chunk in chunks] == [b"second"]
        assert await caller.rest() == b""


async def test_a_refusal_is_readable_by_a_client_that_is_still_sending() -> None:
    """The rest of a refused body is thrown away for a moment: a reset would take the refusal with it."""

    async def handler(exchange: Exchange) -> None:
        await exchange.respond(413, [], b"too large")

    async with serving(handler, EdgeLimits(body=1 << 40, linger_s=0.5)) as server, Caller.to(server) as caller:
        await caller.send(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 50000000\r\n\r\n")
        sending = asyncio.get_running_loop().create_task(caller.send(b"x" * 5_000_000))
        reply = await caller.reply()
        assert (reply.status, reply.body) == (413, b"too large")
        assert await caller.rest() == b""
        await sending


async def test_an_answer_before_the_body_ends_the_connection() -> None:
    """What follows on the connection is body, and must never be read as the next request."""
    served = []

    async def handler(exchange: Exchange) -> None:
        served.append(exchange.path)
        await exchange.respond(401, [], b"")

    async with serving(handler, LIMITS) as server, Caller.to(server) as caller:
        await caller.send(b"POST /1 HTTP/1.1\r\n" + HOST + b"Content-Length: 100\r\n\r\n")
        assert (await caller.reply()).status == 401
        await caller.send(b"GET /2 HTTP/1.1\r\n" + HOST + b"\r\n")
        assert await caller.rest() == b""
    assert served == ["/1"]


async def test_an_answer_that_fails_is_told_or_broken_off(caplog: pytest.LogCaptureFixture) -> None:
    """Before the head a 500 in our words, after it an end that no client takes for the answer's; never silence.

    A header that would break into another is such a failure: nothing of it reaches the client.
    """

    async def crash(exchange: Exchange) -> None:
        raise RuntimeError("boom")

    async def forget(exchange: Exchange) -> None:
        return

    async def smuggle(exchange: Exchange) -> None:
        await exchange.respond(200, [(b"x-model", b"a\r\nx-evil: 1")], b"")

    async def break_off(exchange: Exchange) -> None:
        await exchange.start(200, [])
        await exchange.write(b"half")
        raise RuntimeError("boom")

    handlers = {"/crash": crash, "/forget": forget, "/smuggle": smuggle, "/break_off": break_off}

    class Calls:
        def handles(self, path: str) -> bool:
            return path in handlers

        async def answer(self, exchange: Exchange) -> None:
            await handlers[exchange.path](exchange)

    async with running(make_server(nothing, "127.0.0.1", 0, calls=Calls(), limits=LIMITS)) as server:
        for path in ("/crash", "/forget", "/smuggle"):
            async with Caller.to(server) as caller:
                await caller.send(b"GET " + path.encode() + b" HTTP/1.1\r\n" + HOST + b"\r\n")
                reply = await caller.reply()
                assert (reply.status, reply.headers["connection"]) == (500, "close")
                assert "x-evil" not in reply.headers
                assert await caller.rest() == b""
        async with Caller.to(server) as caller:
            await caller.send(b"GET /break_off HTTP/1.1\r\n" + HOST + b"\r\n")
            assert (await caller.rest()).endswith(b"\r\n\r\n4\r\nhalf\r\n")
    assert [record.exc_info is not None for record in caplog.records if record.name == "headgate.edge"] == [True] * 3


async def test_answers_without_a_body_are_framed_as_such() -> None:
    """What is written for HEAD, or with 204, is not sent: the client would read it as the next answer."""

    async def handler(exchange: Exchange) -> None:
        if exchange.path == "/stream":
            await exchange.start(204 if exchange.method == "GET" else 200, [])
            await exchange.write(b"body")
            await exchange.end()
        else:
            await exchange.respond(200, [], b"body")

    async with serving(handler, LIMITS) as server, Caller.to(server) as caller:
        for line in (b"HEAD /whole", b"HEAD /stream", b"GET /stream"):
            await caller.send(line + b" HTTP/1.1\r\n" + HOST + b"\r\n")
            head = await caller.head()
            assert b"transfer-encoding" not in head
        await caller.send(b"GET /whole HTTP/1.1\r\n" + HOST + b"\r\n")
        assert (await caller.reply()).body == b"body"


async def test_calls_and_the_application_take_turns_on_a_connection() -> None:
    """Pipelined across both: each answer in its place, and the bodies do not mix."""

    class Calls:
        def handles(self, path: str) -> bool:
            return path.startswith("/v1/")

        async def answer(self, exchange: Exchange) -> None:
            await mirrored(exchange)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        body = b"app " + scope["path"].encode() + b" " + message["body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    def post(path: bytes, body: bytes) -> bytes:
        return b"POST %b HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b" % (path, HOST, len(body), body)

    paths = (b"/v1/a", b"/b", b"/v1/c", b"/d", b"/e", b"/v1/f")
    async with (
        running(make_server(app, "127.0.0.1", 0, calls=Calls(), limits=LIMITS)) as server,
        Caller.to(server) as caller,
    ):
        await caller.send(b"".join(post(path, path[-1:]) for path in paths))
        for path in paths:
            expected = b"POST %b  1.1 %b" if path.startswith(b"/v1/") else b"app %b %b"
            assert (await caller.reply()).body == expected % (path, path[-1:])


async def test_what_the_edge_refuses_is_told_in_the_format_of_the_path() -> None:
    """Anthropic's clients read their own errors, whoever speaks."""
    async with serving(nobody, LIMITS) as server:
        for path in (b"/v1/messages", b"/messages?beta=true"):
            async with Caller.to(server) as caller:
                await caller.send(b"POST " + path + b" HTTP/1.1\r\n" + HOST + b"Content-Length: 1001\r\n\r\n")
                assert json.loads((await caller.reply()).body)["type"] == "error"
