"""Streams whose hold grows while they run, and end cleanly where it cannot."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from headgate.base.money import NANOS_PER_USD
from headgate.catalog.bound import UNSEEN_OUTPUT
from headgate.dataplane.ration import AHEAD
from headgate.ledger.record import Outcome
from headgate.upstream.answer import BUFFER
from tests.support.plane import STREAM_HEAD, Client, Plane, chunk, delta, open_plane
from tests.support.raw_server import Peer

PRICES = {"request_token": 0.0, "response_token": 0.01}
"""Nothing for input, a hundredth of a cent, 100,000 nano-dollars, for each token of output."""
TOKEN = NANOS_PER_USD // 10_000
LAST = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
RULES = {"admission": {"streams": "adaptive", "first_hold_tokens": 2048}}
TEXT = "x" * 50
RECEIVED_AT_ONCE = 256 * 1024
"""The most that the event loop takes from a socket in one go."""


def chat(max_tokens: int = 20_000, model: str = "m") -> dict[str, Any]:
    messages = [{"role": "user", "content": "hi"}]
    return {"model": f"@openai/{model}", "max_tokens": max_tokens, "stream": True, "messages": messages}


def usage(tokens: int) -> bytes:
    figures = {"prompt_tokens": 3, "completion_tokens": tokens, "total_tokens": 3 + tokens}
    return b"data: %b\n\ndata: [DONE]\n\n" % json.dumps({"choices": [], "usage": figures}).encode()


class Provider:
    """Streams as many events as a test lets it, and remembers when the gateway closed on it."""

    def __init__(self) -> None:
        self.events: Callable[[Peer], Awaitable[None]]
        self.closed = asyncio.Event()

    async def play(self, peer: Peer, body: dict[str, Any]) -> None:
        await peer.send(STREAM_HEAD)
        await self.events(peer)

    def goes_on(self, event: bytes = delta(TEXT)) -> None:
        """Never stops by itself."""

        async def events(peer: Peer) -> None:
            try:
                while True:
                    await peer.send(chunk(event))
                    await asyncio.sleep(0)  # one event after the other, as far as the reader keeps up
            except ConnectionError:
                self.closed.set()

        self.events = events

    def tells(self, count: int, tokens: int) -> None:
        """So many events, and how many tokens they were."""

        async def events(peer: Peer) -> None:
            for _ in range(count):
                await peer.send(chunk(delta(TEXT)))
            await peer.send(chunk(LAST) + chunk(usage(tokens)) + b"0\r\n\r\n")

        self.events = events


@asynccontextmanager
async def adaptive(directory: Path) -> AsyncIterator[tuple[Plane, Provider]]:
    provider = Provider()
    async with open_plane(directory, provider.play) as plane:
        await plane.integrate("openai", {"m": PRICES, "o3": PRICES})
        await plane.admin("PUT", "/admin/organisation", RULES)
        yield plane, provider


def delivered(body: bytes) -> str:
    """The text of an OpenAI stream that ended as it should."""
    *events, last, done, end = body.decode().split("\n\n")
    assert (done, end) == ("data: [DONE]", "")
    chunks = [json.loads(event.removeprefix("data: ")) for event in [*events, last]]
    choices = [choice for each in chunks for choice in each["choices"]]
    assert choices[-1]["finish_reason"] in ("length", "stop")
    return "".join(choice["delta"].get("content") or "" for choice in choices)


async def test_a_stream_that_is_bound_to_fit_is_never_cut(tmp_path: Path) -> None:
    """The hold follows it up to its whole bound, and it is settled at what its provider says."""
    async with adaptive(tmp_path) as (plane, provider):
        provider.tells(300, 3_750)
        key = await plane.key(usage_limits={"credit_limit": 2})
        reply = await plane.call(key, chat()).reply()
        assert delivered(reply.body) == TEXT * 300
        [record] = await plane.records()
        assert (record.outcome, record.cost) == (Outcome.OK, 3_750 * TOKEN)


async def test_many_streams_share_what_one_could_hold_alone(tmp_path: Path) -> None:
    """Strict, each of these would need the whole budget; adaptive, all run side by side."""
    async with adaptive(tmp_path) as (plane, provider):
        provider.tells(10, 125)
        key = await plane.key(usage_limits={"credit_limit": 2})
        replies = await asyncio.gather(*(plane.call(key, chat()).reply() for _ in range(8)))
        assert [reply.status for reply in replies] == [200] * 8
        await plane.admin("PUT", "/admin/organisation", {"admission": None})
        strict = await asyncio.gather(*(plane.call(key, chat(19_000)).reply() for _ in range(2)))
        assert sorted(reply.status for reply in strict) == [200, 429]


async def test_a_stream_that_cannot_go_on_ends_as_at_its_length_limit(tmp_path: Path) -> None:
    """The client reads a proper end, the provider is hung up on, and the budget is used but not exceeded."""
    async with adaptive(tmp_path) as (plane, provider):
        provider.goes_on()
        key = await plane.key(usage_limits={"credit_limit": 0.5})
        reply = await plane.call(key, chat()).reply()
        await provider.closed.wait()
        text = delivered(reply.body)
        assert 5_000 - AHEAD - 10 * len(TEXT) <= len(text) <= 5_000 - UNSEEN_OUTPUT
        [record] = await plane.records()
        assert (record.outcome, record.status, record.error) == (Outcome.CUT, 200, "allowance_reached")
        assert record.usage_source == "estimated"
        assert len(text) * TOKEN < record.cost <= NANOS_PER_USD // 2
        [budget] = await plane.limits(key)
        assert (budget["used"], budget["held"]) == (record.cost, 0)


async def test_together_they_stay_within_the_budget(tmp_path: Path) -> None:
    """Ten that go on for ever: each is cut in the end, and their sum is the budget or less."""
    async with adaptive(tmp_path) as (plane, provider):
        provider.goes_on()
        key = await plane.key(usage_limits={"credit_limit": 3})
        replies = await asyncio.gather(*(plane.call(key, chat()).reply() for _ in range(10)))
        assert all(delivered(reply.body) for reply in replies)
        records = await plane.records()
        assert {record.outcome for record in records} == {Outcome.CUT}
        assert 0.95 * 3 * NANOS_PER_USD <= sum(record.cost for record in records) <= 3 * NANOS_PER_USD


async def test_an_event_counts_before_it_is_whole(tmp_path: Path) -> None:
    """Its bytes count as they come, before anybody can see what is in them."""
    async with adaptive(tmp_path) as (plane, provider):

        async def half_an_event(peer: Peer) -> None:
            await peer.send(chunk(delta("x" * 30_000)[:10_000]))
            await peer.gone()

        provider.events = half_an_event
        key = await plane.key(usage_limits={"credit_limit": 0.5})
        reply = await plane.call(key, chat(100_000)).reply()
        assert delivered(reply.body) == ""
        [record] = await plane.records()
        assert record.outcome is Outcome.CUT


async def test_the_overshoot_is_what_was_under_way(tmp_path: Path) -> None:
    """What a provider sent in one go before it could be hung up on has been billed: it is delivered and counted, to
    the last byte, and is never more than the gateway reads at once."""
    async with adaptive(tmp_path) as (plane, provider):
        provider.goes_on(delta(TEXT) * 200)
        key = await plane.key(usage_limits={"credit_limit": 0.5})
        reply = await plane.call(key, chat(500_000)).reply()
        text = delivered(reply.body)
        [record] = await plane.records()
        assert record.cost == (len(text) + UNSEEN_OUTPUT) * TOKEN
        assert 5_000 < len(text) <= 2_048 + (BUFFER + RECEIVED_AT_ONCE) * len(TEXT) // len(delta(TEXT))
        [budget] = await plane.limits(key)
        assert (budget["used"], budget["held"], budget["left"]) == (record.cost, 0, 0)


async def test_what_may_think_unseen_holds_everything(tmp_path: Path) -> None:
    """Nobody could see it go beyond its hold."""
    async with adaptive(tmp_path) as (plane, provider):
        provider.tells(1, 10)
        key = await plane.key(usage_limits={"credit_limit": 0.5})
        assert (await plane.call(key, chat(model="o3")).reply()).status == 412
        assert (await plane.call(key, chat(4_000, "o3")).reply()).status == 200


async def test_an_answer_that_is_no_stream_holds_everything(tmp_path: Path) -> None:
    """It comes at once, and could not be ended on the way."""
    async with adaptive(tmp_path) as (plane, _):
        key = await plane.key(usage_limits={"credit_limit": 0.5})
        assert (await plane.call(key, {**chat(), "stream": False}).reply()).status == 412


async def test_a_stream_that_breaks_off_counts_what_it_held_or_delivered(tmp_path: Path) -> None:
    """Never less than what its provider can have billed for what came."""
    async with adaptive(tmp_path) as (plane, provider):

        async def breaks_off(peer: Peer) -> None:
            await peer.send(chunk(delta(TEXT)) * 100)
            peer.close()

        provider.events = breaks_off
        key = await plane.key(usage_limits={"credit_limit": 2})
        reply = await plane.call(key, chat()).reply()
        assert b'"upstream_broke_off"' in reply.body
        [record] = await plane.records()
        assert record.cost == (100 * len(TEXT) + UNSEEN_OUTPUT) * TOKEN


async def test_a_client_that_leaves_does_not_end_the_watch(tmp_path: Path) -> None:
    """The provider is read on for its figures, but no further than the budget reaches."""
    async with adaptive(tmp_path) as (plane, provider):
        provider.goes_on()
        key = await plane.key(usage_limits={"credit_limit": 0.5})
        call: Client = plane.call(key, chat())
        await call.received(500)
        call.hang_up()
        await call.task
        await provider.closed.wait()
        [record] = await plane.records()
        assert record.outcome is Outcome.CLIENT_GONE
        assert record.cost <= NANOS_PER_USD // 2
