"""TLS to who proves the name, and to no one else."""

import asyncio
from pathlib import Path

import pytest

from headgate.upstream.client import Client, Deadlines, Failed, Request
from headgate.upstream.guard import Guard
from headgate.upstream.origin import Origin
from tests.support.certificates import Authority
from tests.support.raw_server import Peer, RawServer

DEADLINES = Deadlines(connect_s=5, first_byte_s=5, idle_s=5, total_s=10)


async def loopback(host: str) -> list[str]:
    return ["127.0.0.1"]


async def echo(peer: Peer) -> None:
    while True:
        await peer.answer((await peer.request())[1])


def request_to(server: RawServer, host: str, body: bytes = b"{}") -> Request:
    return Request(Origin.parse(f"https://{host}:{server.port}/v1"), b"POST", b"/", [(b"authorization", b"k")], body)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.mark.parametrize(("host", "names"), [("api.example", ["api.example"]), ("127.0.0.1", ["127.0.0.1"])])
async def test_a_verified_provider_is_spoken_to(authority: Authority, host: str, names: list[str]) -> None:
    """By name (which it is told in the handshake) or by address; one connection serves many calls."""
    asked = []
    context = authority.server(*names)
    context.sni_callback = lambda _sock, name, _context: asked.append(name)
    async with RawServer(echo, tls=context) as server:
        client = Client(guard=Guard(resolve=loopback), ssl_context=authority.client())
        for body in (b"small", b"x" * 5_000_000, b""):
            answer = await client.send(request_to(server, host, body), DEADLINES)
            assert await answer.read(1 << 30) == body
        assert server.accepted == 1
        assert asked == [host if host == "api.example" else None]
        await client.close()


@pytest.mark.parametrize("flaw", ["name", "authority", "expired"])
async def test_a_provider_that_cannot_prove_its_name_gets_nothing(
    authority: Authority, tmp_path: Path, flaw: str
) -> None:
    """Another name's certificate, another authority's, an expired one: kind `tls`, and no byte of the request."""
    heard = []

    async def script(peer: Peer) -> None:
        heard.append(await peer.receive(1))

    context = authority.server("other.example" if flaw == "name" else "api.example", expired=flaw == "expired")
    trusted = Authority(tmp_path).client() if flaw == "authority" else authority.client()
    async with RawServer(script, tls=context) as server:
        client = Client(guard=Guard(resolve=loopback), ssl_context=trusted)
        with pytest.raises(Failed) as caught:
            await client.send(request_to(server, "api.example"), DEADLINES)
        assert (caught.value.kind, caught.value.sent) == ("tls", False)
        await client.close()
    assert heard == []


async def test_the_systems_authorities_are_trusted_by_default(authority: Authority) -> None:
    """And they do not include whoever signed this test's certificate."""
    async with RawServer(echo, tls=authority.server("api.example")) as server:
        client = Client(guard=Guard(resolve=loopback))
        with pytest.raises(Failed) as caught:
            await client.send(request_to(server, "api.example"), DEADLINES)
        assert caught.value.kind == "tls"
        await client.close()


@pytest.mark.parametrize("data", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
async def test_a_server_that_speaks_no_tls_is_a_tls_failure(authority: Authority, data: bytes) -> None:
    """A plain answer to the handshake, or its breaking off, is not mistaken for a provider's answer."""

    async def script(peer: Peer) -> None:
        await peer.receive(1)
        await peer.send(data)

    async with RawServer(script) as server:
        client = Client(guard=Guard(resolve=loopback), ssl_context=authority.client())
        with pytest.raises(Failed) as caught:
            await client.send(request_to(server, "api.example"), DEADLINES)
        assert (caught.value.kind, caught.value.sent) == ("tls", False)
        await client.close()


async def test_a_handshake_that_hangs_meets_the_connect_deadline(authority: Authority) -> None:
    """A server that accepts and says nothing holds a call for no longer than one that does not accept."""

    async def script(peer: Peer) -> None:
        await peer.gone()

    async with RawServer(script) as server:
        client = Client(guard=Guard(resolve=loopback), ssl_context=authority.client())
        with pytest.raises(Failed) as caught:
            await client.send(request_to(server, "api.example"), Deadlines(connect_s=0.1))
        assert (caught.value.kind, caught.value.sent) == ("timeout_connect", False)
        await client.close()


async def test_a_connection_closed_at_rest_is_replaced(authority: Authority) -> None:
    """Also where the news comes wrapped in TLS."""
    closing, closed = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.answer(b"ok")
        if peer.number == 0:
            await closing.wait()
            await peer.finish()  # TLS says so before it closes, in its own time
            closed.set()
        else:
            await peer.gone()

    async with RawServer(script, tls=authority.server("api.example")) as server:
        client = Client(guard=Guard(resolve=loopback), ssl_context=authority.client())
        for _ in range(2):
            answer = await client.send(request_to(server, "api.example"), DEADLINES)
            assert await answer.read(10) == b"ok"
            closing.set()
            await closed.wait()
        assert server.accepted == 2
        await client.close()


async def test_cancelling_in_the_handshake_leaves_nothing_open(authority: Authority) -> None:
    """Wherever the cancellation falls, the connection is closed and its place in the pool is free."""
    async with RawServer(echo, tls=authority.server("api.example")) as server:
        client = Client(guard=Guard(resolve=loopback), ssl_context=authority.client())
        for turns in range(40):
            task = asyncio.get_running_loop().create_task(client.send(request_to(server, "api.example"), DEADLINES))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        answer = await client.send(request_to(server, "api.example", b"alive"), DEADLINES)
        assert await answer.read(10) == b"alive"
        await client.close()
