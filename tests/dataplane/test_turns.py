"""Calls at a provider with a capacity, through a whole gateway: who waits, who is refused, and that nothing is left.

After every test all places are free again, nobody waits, and the books join.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from headgate.base.clock import SystemClock
from headgate.dataplane.call import Stop
from headgate.ledger.recovery import Replay
from headgate.storage.verification import verify
from tests.support.asgi import request
from tests.support.plane import STREAM_HEAD, Client, Plane, chunk, completion, delta, open_plane
from tests.support.raw_server import Peer

PRICES = {"request_token": 0.0, "response_token": 0.01}
USAGE = {
    "id": "c",
    "object": "chat.completion.chunk",
    "choices": [],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2},
}


class Provider:
    """Answers `held` calls when it is told to; counts how many it had at once."""

    def __init__(self) -> None:
        self.go = asyncio.Semaphore(0)
        self.now = self.most = 0
        self.names: list[str] = []
        self._news = asyncio.Condition()

    async def play(self, peer: Peer, body: dict[str, Any]) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        async with self._news:
            self.names.append(str(body["messages"][0]["content"]))
            self._news.notify_all()
        try:
            if body["model"] != "quick":
                await self.go.acquire()
            await self._answer(peer, body)
        finally:
            self.now -= 1

    async def _answer(self, peer: Peer, body: dict[str, Any]) -> None:
        if body["model"] == "e429":
            await peer.send(b"HTTP/1.1 429 No\r\nretry-after: 30\r\ncontent-length: 2\r\n\r\n{}")
        elif body.get("stream"):
            events = [delta("hello"), b"data: %b\n\n" % json.dumps(USAGE).encode(), b"data: [DONE]\n\n"]
            await peer.send(STREAM_HEAD + b"".join(map(chunk, events)) + b"0\r\n\r\n")
        else:
            await peer.answer(completion("hello", 3, 2))

    async def has_had(self, count: int) -> None:
        """Return when so many calls have reached it."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.names) >= count)


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
async def plane(tmp_path: Path, provider: Provider) -> AsyncIterator[Plane]:
    async with open_plane(tmp_path, provider.play) as opened:
        await opened.integrate("openai", dict.fromkeys(("held", "quick", "e429"), PRICES))
        yield opened
        data_plane = opened.gateway.data_plane
        assert data_plane.live == 0
        page = await metrics(opened)
        assert page.get('headgate_capacity_waiting{provider="openai"}', 0) == 0
        await capacity(opened, max_concurrency=1)
        key = await budgeted(opened)
        again = await call(opened, key, "afterwards", model="quick").reply()
        assert again.status == 200, "a place was never given back"
        found = await opened.gateway.database.read(lambda connection: verify(connection, Replay(), SystemClock().now()))
        assert found.differences == []


async def metrics(plane: Plane) -> dict[str, float]:
    reply = await request(plane.gateway.app, "GET", "/metrics", None, {})
    lines = [line.rpartition(" ") for line in reply.body.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


async def capacity(plane: Plane, **figures: object) -> None:
    await plane.admin("PUT", "/integrations/openai", {"configurations": {"capacity": figures}})


async def budgeted(plane: Plane, **more: object) -> str:
    return await plane.key(usage_limits={"credit_limit": 1.0}, **more)


def call(plane: Plane, key: str, name: str, *, model: str = "held", stream: bool = False, **headers: str) -> Client:
    body = {"model": f"@openai/{model}", "messages": [{"role": "user", "content": name}], "max_tokens": 10}
    return plane.call(key, {**body, "stream": stream}, **headers)


async def waiting(plane: Plane, count: int) -> None:
    """Return when so many wait."""
    for _ in range(10_000):
        if (await metrics(plane)).get('headgate_capacity_waiting{provider="openai"}', 0) == count:
            return
        await asyncio.sleep(0)
    pytest.fail(f"{count} calls never waited")


async def held(plane: Plane, key: str) -> int:
    (limit,) = [each for each in await plane.limits(key) if each["resource"] == "cost"]
    return int(limit["held"])


@pytest.mark.parametrize("stream", [False, True])
async def test_no_more_calls_than_there_are_places(plane: Plane, provider: Provider, stream: bool) -> None:
    """The rest wait, and get their answers one after the other as places come free."""
    await capacity(plane, max_concurrency=2)
    key = await budgeted(plane)
    calls = [call(plane, key, str(number), stream=stream) for number in range(6)]
    await provider.has_had(2)
    await waiting(plane, 4)
    for _ in calls:
        provider.go.release()
    assert [(await each.reply()).status for each in calls] == [200] * 6
    assert provider.most == 2
    assert await held(plane, key) == 0


async def test_tenants_take_turns(plane: Plane, provider: Provider) -> None:
    """One that has sent ten calls and one that then sends two: the two do not wait for the ten."""
    await capacity(plane, max_concurrency=1)
    keys = [await budgeted(plane, name=name) for name in ("greedy", "modest")]
    calls = [call(plane, keys[0], "greedy") for _ in range(10)]
    await waiting(plane, 9)
    calls += [call(plane, keys[1], "modest") for _ in range(2)]
    await waiting(plane, 11)
    for _ in calls:
        provider.go.release()
    assert {(await each.reply()).status for each in calls} == {200}
    assert "modest" in provider.names[1:3]
    assert provider.names[:5].count("modest") == 2


async def test_a_tenants_weight_counts(plane: Plane, provider: Provider) -> None:
    """Two customers with the same calls: the one of weight three has three turns for each of the other's."""
    await capacity(plane, max_concurrency=1)
    keys = {}
    for name, weight in (("light", 1), ("heavy", 3)):
        tenant = await plane.admin(
            "POST", "/admin/tenants", {"tenant_id": name, "workspace_id": "default", "weight": weight}
        )
        assert tenant["weight"] == weight
        keys[name] = await budgeted(plane, name=name, tenant_id=name)
    first = call(plane, await budgeted(plane, name="first"), "first")
    await provider.has_had(1)
    calls = [call(plane, keys[name], name) for name in keys for _ in range(9)]
    await waiting(plane, 18)
    for _ in range(13):
        provider.go.release()
    await provider.has_had(13)
    assert provider.names[1:13].count("heavy") == 9
    for _ in range(6):
        provider.go.release()
    assert {(await each.reply()).status for each in [first, *calls]} == {200}


async def test_who_may_not_wait_is_refused_and_pays_nothing(plane: Plane, provider: Provider) -> None:
    """429 with its own code and a time to come back; no request, no token, no money; the others' places are theirs."""
    await capacity(plane, max_concurrency=1, max_waiting_per_tenant=1)
    key = await plane.key(rate_limits=[{"type": "requests", "unit": "rpm", "value": 2}])
    calls = [call(plane, key, str(number)) for number in range(2)]
    await waiting(plane, 1)
    refused = await call(plane, key, "refused").reply()
    assert (refused.status, refused.json["error"]["code"]) == (429, "capacity")
    assert refused.json["error"]["type"] == "gateway_capacity_error"
    assert refused.json["error"]["details"] == {"provider": "openai", "why": "tenant_queue"}
    assert refused.headers["x-headgate-source"] == "gateway"
    assert int(refused.headers["retry-after"]) >= 1
    for _ in calls:
        provider.go.release()
    assert [(await each.reply()).status for each in calls] == [200, 200]
    assert len(await plane.records()) == 2
    assert (await metrics(plane))['headgate_capacity_refusals_total{provider="openai"}'] == 1


async def test_a_wait_ends(plane: Plane, provider: Provider) -> None:
    """With a refusal that took nothing, after `max_wait_ms` or when the client's own time is up."""
    await capacity(plane, max_concurrency=1, max_wait_ms=20)
    key = await budgeted(plane)
    first = call(plane, key, "first")
    await provider.has_had(1)
    late = await call(plane, key, "late").reply()
    assert (late.status, late.json["error"]["details"]["why"]) == (429, "waited")
    await capacity(plane, max_concurrency=1, max_wait_ms=60_000)
    late = await call(plane, key, "late", x_portkey_request_timeout="20").reply()
    assert (late.status, late.json["error"]["code"]) == (429, "capacity")
    assert provider.names == ["first"]
    provider.go.release()
    assert (await first.reply()).status == 200
    assert await held(plane, key) == 0
    assert len(await plane.records()) == 1


async def test_a_client_that_leaves_gives_up_its_place(plane: Plane, provider: Provider) -> None:
    """At once, and what it held; who stands behind it goes on."""
    await capacity(plane, max_concurrency=1)
    key = await budgeted(plane)
    first = call(plane, key, "first")
    await provider.has_had(1)
    leaves = call(plane, key, "leaves")
    await waiting(plane, 1)
    behind = call(plane, key, "behind")
    await waiting(plane, 2)
    leaves.hang_up()
    await leaves.task
    assert leaves.sent == []
    for _ in range(2):
        provider.go.release()
    assert [(await each.reply()).status for each in (first, behind)] == [200, 200]
    assert provider.names == ["first", "behind"]
    assert await held(plane, key) == 0


async def test_a_drain_ends_waits(plane: Plane, provider: Provider) -> None:
    """A call that still waits at the deadline is told to send again, and nothing is charged for it."""
    await capacity(plane, max_concurrency=1)
    key = await budgeted(plane)
    first = call(plane, key, "first")
    await provider.has_had(1)
    waits = call(plane, key, "waits")
    await waiting(plane, 1)
    (stopped,) = (each for each in plane.gateway.data_plane._live if not each.sent)
    stopped.stop(Stop.DRAINING)
    reply = await waits.reply()
    assert (reply.status, reply.json["error"]["code"]) == (503, "draining")
    provider.go.release()
    assert (await first.reply()).status == 200
    assert len(await plane.records()) == 1


async def test_a_call_that_has_another_target_does_not_wait_in_vain(plane: Plane, provider: Provider) -> None:
    """Where the queue is full its config leads on, as after any 429; and so it does after a wait in vain."""
    config = json.dumps(
        {
            "strategy": {"mode": "fallback", "on_status_codes": [429]},
            "retry": {"attempts": 3},
            "targets": [{"override_params": {"model": f"@{name}"}} for name in ("openai/held", "spare/quick")],
        }
    )
    spare = {"name": "spare", "slug": "spare", "ai_provider_id": "openai", "key": "k"}
    host = {"configurations": {"custom_host": f"{plane.provider_url}/v1"}}
    await plane.admin("POST", "/integrations", {**spare, **host})
    access = {"workspaces": [{"id": "default", "enabled": True}]}
    await plane.admin("PUT", "/integrations/spare/workspaces", access)
    prices = {"slug": "quick", "enabled": True, "is_custom": True}
    units = {unit: {"price": price} for unit, price in PRICES.items()}
    await plane.admin(
        "PUT", "/integrations/spare/models", {"models": [{**prices, "pricing_config": {"pay_as_you_go": units}}]}
    )
    key = await budgeted(plane)
    for name, figure, attempts in (("max_waiting_per_tenant", 0, []), ("max_wait_ms", 10, ["capacity"])):
        await capacity(plane, **{"max_concurrency": 1, name: figure})
        first = call(plane, key, "first")
        await provider.has_had(1)
        reply = await call(plane, key, "goes on", x_portkey_config=config).reply()
        assert reply.status == 200, reply.body
        assert reply.headers["x-portkey-last-used-option-index"] == "config.targets[1]"
        provider.go.release()
        assert (await first.reply()).status == 200
        record = next(each for each in await plane.records() if each.provider == "spare")
        assert [each.error for each in record.earlier_attempts][: len(attempts)] == attempts
        provider.names.clear()
    assert await held(plane, key) == 0


async def test_a_capacity_may_change_while_calls_wait(plane: Plane, provider: Provider) -> None:
    """With more places whoever waits goes as soon as the next call brings the news; with none at all nobody waits."""
    await capacity(plane, max_concurrency=1)
    key = await budgeted(plane)
    calls = [call(plane, key, str(number)) for number in range(3)]
    await waiting(plane, 2)
    await capacity(plane, max_concurrency=4)
    assert (await call(plane, key, "news", model="quick").reply()).status == 200
    await provider.has_had(4)
    await plane.admin("PUT", "/integrations/openai", {"configurations": {"capacity": None}})
    calls += [call(plane, key, "no end") for _ in range(3)]
    await provider.has_had(7)
    for _ in calls:
        provider.go.release()
    assert {(await each.reply()).status for each in calls} == {200}


async def test_what_a_provider_says_is_learned(plane: Plane, provider: Provider) -> None:
    """After its 429 the next call is told at once when to come back, and the provider is left alone; other models of it
    are not its matter."""
    await capacity(plane, learned=True)
    key = await budgeted(plane)
    provider.go.release()
    first = await call(plane, key, "first", model="e429").reply()
    assert (first.status, first.headers["x-headgate-source"]) == (429, "provider")
    second = await call(plane, key, "second", model="e429").reply()
    assert (second.status, second.json["error"]["details"]["why"]) == (429, "too_late")
    assert 25 <= int(second.headers["retry-after"]) <= 30
    assert provider.names == ["first"]
    assert (await call(plane, key, "other", model="quick").reply()).status == 200
