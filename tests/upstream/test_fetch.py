"""One small GET to a provider: bounded in time and size, and never an error."""

from headgate.base.clock import SystemClock
from headgate.upstream.client import Client, Deadlines
from headgate.upstream.fetch import LARGEST, Fetcher
from headgate.upstream.guard import Guard
from tests.support.model_lists import answer, answering
from tests.support.raw_server import Peer, RawServer


async def fetched(url: str, within: Deadlines | None = None, *, private: bool = True) -> tuple[int, bytes, str]:
    client = Client(guard=Guard(allow_private=private))
    try:
        found = await Fetcher(client, SystemClock(), within or Deadlines())(url, "/models", {"x-key": "k"})
    finally:
        await client.close()
    return found.status, found.body, found.trouble


async def test_an_answer_is_brought_as_it_is() -> None:
    """Whatever its status."""
    async with answering(answer(418, b"tea")) as url:
        assert await fetched(url) == (418, b"tea", "")


async def test_of_a_large_answer_the_status_is_told() -> None:
    """And nothing is kept of its body."""
    async with answering(answer(200, b"x" * (LARGEST + 1))) as url:
        assert await fetched(url) == (200, b"", "")


async def test_a_provider_that_says_nothing_is_waited_for_no_longer_than_agreed() -> None:
    """And then it is trouble, not an error."""

    async def silent(peer: Peer) -> None:
        await peer.request()
        await peer.gone()

    async with RawServer(silent) as server:
        within = Deadlines(first_byte_s=0.05, total_s=0.05)
        status, _, trouble = await fetched(f"http://127.0.0.1:{server.port}", within)
    assert status == 0
    assert trouble


async def test_where_calls_may_not_go_it_does_not_go() -> None:
    """Addresses are vetted as for calls; what is no URL is trouble too."""
    async with answering(answer(200)) as url:
        status, _, trouble = await fetched(url, private=False)
    assert (status, "not allowed" in trouble) == (0, True)
    assert (await fetched("http://"))[0] == 0
