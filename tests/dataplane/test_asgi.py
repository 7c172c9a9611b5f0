"""The data plane as a part of somebody else's application: under any server, below any path, without a socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from fastapi import FastAPI

from headgate.base.errors import TooLarge
from headgate.dataplane.asgi import AsgiExchange, Message, Scope
from headgate.dataplane.exchange import ClientGone, Exchange
from tests.support.asgi import request
from tests.support.served import Caller, Handled, departure, mirrored


async def test_a_call_needs_no_socket() -> None:
    """The platform's own code calls the application in its process."""
    reply = await request(Handled(mirrored), "POST", "/v1/chat/completions?a=b", b"hello")
    assert (reply.status, reply.body) == (200, b"POST /v1/chat/completions a=b 1.1 hello")
    assert reply.headers["content-length"] == str(len(reply.body))


async def test_it_is_mounted_below_a_path() -> None:
    """What is routed is the path below the mount, in an application of FastAPI's."""
    platform = FastAPI()
    platform.mount("/llm", Handled(mirrored))
    reply = await request(platform, "POST", "/llm/v1/messages", b"hello")
    assert reply.body == b"POST /v1/messages  1.1 hello"


@pytest.mark.parametrize(
    ("root", "path", "routed"),
    [
        ("", "/v1/models", "/v1/models"),
        ("/llm", "/llm/v1", "/v1"),
        ("/llm", "/llms/v1", "/llms/v1"),
        ("/a", "/v1", "/v1"),
    ],
)
async def test_only_the_mount_itself_is_taken_off(root: str, path: str, routed: str) -> None:
    """A path that merely begins alike is another path; a server that takes the mount off itself is believed."""
    scope: Scope = {"method": "GET", "path": path, "root_path": root, "query_string": b"", "http_version": "1.1"}

    async def receive() -> Message:
        raise AssertionError("nothing is read")

    async def send(message: Message) -> None:
        raise AssertionError("nothing is sent")

    assert AsgiExchange({**scope, "headers": []}, receive, send).path == routed


@asynccontextmanager
async def plain_uvicorn(handled: Handled, http: str) -> AsyncIterator[int]:
    """A server that knows nothing of us: its port."""
    config = uvicorn.Config(handled, port=0, http=http, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    config.load()
    task = asyncio.get_running_loop().create_task(server._serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task
    if handled.errors:
        raise handled.errors[0]


@pytest.mark.parametrize("http", ["h11", "httptools"])
async def test_another_server_tells_when_the_client_has_left(http: str) -> None:
    """While the provider thinks: a call nobody waits for is noticed at once, and what is written then is refused."""
    here, noticed = asyncio.Event(), asyncio.Event()

    async def handler(exchange: Exchange) -> None:
        await exchange.body(1000, 5)
        here.set()
        await departure(exchange)
        with pytest.raises(ClientGone):
            await exchange.respond(200, [], b"nobody reads this")
        noticed.set()

    async with plain_uvicorn(Handled(handler), http) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\nHost: gateway.test\r\nContent-Length: 2\r\n\r\nhi")
        await here.wait()
        writer.close()
        async with asyncio.timeout(5):
            await noticed.wait()


@pytest.mark.parametrize("http", ["h11", "httptools"])
async def test_another_server_carries_calls_and_streams(http: str) -> None:
    """Whole answers, streams, refusals of bodies; one after the other on a connection."""

    async def handler(exchange: Exchange) -> None:
        if exchange.path == "/stream":
            await exchange.start(200, [(b"content-type", b"text/event-stream")])
            for part in (b"data: 1\n\n", b"data: 2\n\n"):
                await exchange.write(part)
            await exchange.end()
            return
        try:
            await mirrored(exchange, limit=5)
        except TooLarge:
            await exchange.respond(413, [], b"")

    async with plain_uvicorn(Handled(handler), http) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        caller = Caller(reader, writer)
        for path, body, status, expected in (
            (b"/a", b"hello", 200, b"POST /a  1.1 hello"),
            (b"/stream", b"", 200, b"data: 1\n\ndata: 2\n\n"),
            (b"/a", b"too much", 413, b""),
        ):
            head = b"POST %b HTTP/1.1\r\nHost: gateway.test\r\nContent-Length: %d\r\n\r\n" % (path, len(body))
            await caller.send(head + body)
            reply = await caller.reply()
            assert (reply.status, reply.body) == (status, expected)
        writer.close()
        await writer.wait_closed()
