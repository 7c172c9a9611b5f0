"""Near the end of a budget a dear model gives way to a cheaper one; never to one that is not the tenant's, never to a
dearer one, and never over the cap."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from headgate.base.money import NANOS_PER_USD
from headgate.ledger.record import UsageRecord
from tests.support.asgi import Reply
from tests.support.plane import STREAM_HEAD as HEAD
from tests.support.plane import Plane, chunk, completion, delta, open_plane
from tests.support.raw_server import Peer
from tests.support.receiver import Message, Receiver, accept

CENT = 0.01
"""US cents per token that the dear model costs: a hundred tokens are a cent."""
MODELS: dict[str, dict[str, float] | None] = {
    "dear": {"request_token": 0.0, "response_token": CENT},
    "middle": {"request_token": 0.0, "response_token": CENT / 2},
    "cheap": {"request_token": 0.0, "response_token": CENT / 10},
    "unpriced": None,
}
DOWN = {"models": {"@openai/dear": "cheap"}}
LAST = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"completion_tokens":50}}\n\n'


def chat(model: str = "@openai/dear", max_tokens: int = 100, **more: object) -> dict[str, Any]:
    return {"model": model, "max_tokens": max_tokens, "messages": [{"role": "user", "content": "hi"}], **more}


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[Plane]:
    """The provider uses all the output that it may."""

    async def play(peer: Peer, body: dict[str, Any]) -> None:
        if body.get("stream"):
            await peer.send(HEAD + chunk(delta("x")) + chunk(LAST) + chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")
        else:
            await peer.answer(completion("x", 3, int(body.get("max_tokens", 100))))

    async with open_plane(tmp_path, play) as opened:
        await opened.integrate("openai", MODELS)
        yield opened


async def tenant(plane: Plane, budget: float = 1, **fields: object) -> str:
    """A tenant with so many dollars, and a key of its."""
    body = {"tenant_id": "acme", "workspace_id": "default", "usage_limits": {"credit_limit": budget}, **fields}
    await plane.admin("POST", "/admin/tenants", body)
    return await plane.key(tenant_id="acme")


async def ask(plane: Plane, key: str, body: dict[str, Any], path: str = "/v1/chat/completions") -> Reply:
    return await plane.call(key, body, path).reply()


async def spend(plane: Plane, key: str, cents: int) -> None:
    reply = await ask(plane, key, chat(max_tokens=cents * 100))
    assert (reply.status, reply.headers["x-headgate-model"]) == (200, "dear")
    plane.asked.clear()


def went(reply: Reply) -> tuple[int, str | None, str | None]:
    return reply.status, reply.headers.get("x-headgate-model"), reply.headers.get("x-headgate-downgraded-from")


async def flagged(plane: Plane) -> list[UsageRecord]:
    return [each for each in await plane.records() if "downgraded" in each.usage_flags]


async def test_at_95_percent_the_dear_model_becomes_the_cheap_one(plane: Plane) -> None:
    """In OpenAI's format, as a whole and as a stream, and in Anthropic's: told in the headers and the record."""
    key = await tenant(plane, downgrade=DOWN)
    await spend(plane, key, 95)
    anthropic = chat(model="@openai/dear")
    for body, path in (
        (chat(), "/v1/chat/completions"),
        (chat(stream=True), "/v1/chat/completions"),
        (anthropic, "/v1/messages"),
    ):
        reply = await ask(plane, key, body, path)
        assert went(reply) == (200, "cheap", "@openai/dear")
    assert [each["model"] for each in plane.asked] == ["cheap"] * 3
    found = await flagged(plane)
    assert len(found) == 3
    assert {(each.model_asked, each.model) for each in found} == {("@openai/dear", "cheap")}
    assert {each.cost for each in found} <= {NANOS_PER_USD // 1000, NANOS_PER_USD // 2000}


@pytest.mark.parametrize(("at", "cents", "model"), [(0.9, 89, "dear"), (0.9, 90, "cheap"), (0.5, 50, "cheap")])
async def test_from_the_share_on_and_not_before(plane: Plane, at: float, cents: int, model: str) -> None:
    """What is settled and what is held count together."""
    key = await tenant(plane, downgrade={"at": at, **DOWN})
    await spend(plane, key, cents)
    assert (await ask(plane, key, chat())).headers["x-headgate-model"] == model


async def test_held_counts_as_settled_does(tmp_path: Path) -> None:
    """A call under way that holds 95 % sends the next one to the cheaper model."""
    arrived, gate = asyncio.Event(), asyncio.Event()

    async def play(peer: Peer, body: dict[str, Any]) -> None:
        if body["model"] == "dear":
            arrived.set()
            await gate.wait()
        await peer.answer(completion("x", 3, 100))

    async with open_plane(tmp_path, play) as plane:
        await plane.integrate("openai", MODELS)
        key = await tenant(plane, downgrade=DOWN)
        first = plane.call(key, chat(max_tokens=9_500))
        await arrived.wait()
        assert went(await ask(plane, key, chat())) == (200, "cheap", "@openai/dear")
        gate.set()
        assert went(await first.reply()) == (200, "dear", None)


async def test_a_budget_of_tokens_counts_too_and_a_rate_does_not(plane: Plane) -> None:
    """`max_tokens_per_day` is a budget; what comes back by itself is none."""
    rate = {"type": "tokens", "unit": "rpm", "value": 10_000}
    key = await tenant(plane, 100, rate_limits=[rate], downgrade=DOWN)
    await spend(plane, key, 95)
    assert (await ask(plane, key, chat())).headers["x-headgate-model"] == "dear"
    await plane.admin("PUT", "/admin/tenants/acme", {"rate_limits": [], "max_tokens_per_day": 10_000})
    assert (await ask(plane, key, chat())).headers["x-headgate-model"] == "cheap"


async def test_a_chain_is_followed_to_what_may_be_used(plane: Plane) -> None:
    """dear -> middle -> cheap ends at the cheap one; a step that the tenant may not use is stepped over; with nothing
    left, the call goes where it asked to go."""
    chain = {"dear": "middle", "middle": "@openai/cheap"}
    key = await tenant(plane, downgrade={"models": chain})
    await spend(plane, key, 95)
    assert went(await ask(plane, key, chat())) == (200, "cheap", "@openai/dear")
    assert went(await ask(plane, key, chat("@openai/middle"))) == (200, "cheap", "@openai/middle")
    for allowed, model in (
        (["dear", "cheap"], "cheap"),
        (["dear", "middle"], "middle"),
        (["dear"], "dear"),
    ):
        await plane.admin("PUT", "/admin/tenants/acme", {"allowed_models": allowed})
        assert (await ask(plane, key, chat())).headers["x-headgate-model"] == model


async def test_a_key_s_and_a_workspace_s_models_bind_it_too(plane: Plane) -> None:
    """Where only the key, or only the integration, does not have the cheaper model, the call stays where it was."""
    await tenant(plane, downgrade=DOWN)
    key = await plane.key(tenant_id="acme", allowed_models=["dear"])
    await spend(plane, key, 95)
    assert went(await ask(plane, key, chat())) == (200, "dear", None)
    other = await plane.key(tenant_id="acme")
    assert went(await ask(plane, other, chat())) == (200, "cheap", "@openai/dear")
    await plane.admin("PUT", "/integrations/openai/models", {"models": [{"slug": "cheap", "enabled": False}]})
    assert went(await ask(plane, other, chat())) == (200, "dear", None)


async def test_a_guardrail_on_models_binds_it_too(plane: Plane) -> None:
    """It refuses the call that asks for a model, and the downgrade that would lead there."""
    checks = [{"id": "default.modelWhitelist", "parameters": {"models": ["dear"]}}]
    guardrail = {"name": "only dear", "checks": checks, "actions": {"deny": True}, "workspace_id": "default"}
    slug = (await plane.admin("POST", "/guardrails", guardrail))["slug"]
    key = await tenant(plane, downgrade=DOWN)
    await spend(plane, key, 95)
    assert went(await ask(plane, key, chat())) == (200, "cheap", "@openai/dear")
    await plane.admin("PUT", "/admin/workspaces/default", {"defaults": {"input_guardrails": [slug]}})
    assert went(await ask(plane, key, chat())) == (200, "dear", None)


@pytest.mark.parametrize("instead", ["@openai/dear", "@openai/unpriced", "@openai/nothing", "@nobody/cheap"])
async def test_never_to_a_dearer_one_or_one_without_a_price(plane: Plane, instead: str) -> None:
    """The call then goes where it asked to go, or is refused: the map of an administrator who erred costs nothing."""
    key = await tenant(plane, downgrade={"at": 0.5, "models": {"@openai/middle": instead}})
    await spend(plane, key, 95)
    assert went(await ask(plane, key, chat("@openai/middle"))) == (200, "middle", None)
    refused = await ask(plane, key, chat("@openai/middle", 2_000))
    assert refused.status == 412


async def test_no_more_output_than_the_asked_model_would_have_given(plane: Plane) -> None:
    """A cheaper model with a longer answer could cost more: it gets the smaller limit, which is told."""
    catalog = {"gpt-4o": "gpt-5-mini"}
    key = await tenant(plane, downgrade={"models": catalog})
    await spend(plane, key, 95)
    await plane.admin("PUT", "/admin/tenants/acme", {"usage_limits": {"credit_limit": 1.05}})
    body = {"model": "@openai/gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
    reply = await ask(plane, key, body)
    assert went(reply) == (200, "gpt-5-mini", "@openai/gpt-4o")
    assert reply.headers["x-headgate-max-tokens"] == "16384"
    [sent] = plane.asked
    assert 16_384 in (sent.get("max_completion_tokens"), sent.get("max_tokens"))


async def test_where_the_asked_model_does_not_fit_the_next_one_that_does_is_taken(plane: Plane) -> None:
    """Also before the share is reached; the dearest that fits, and a refusal only where none does."""
    chain = {"dear": "middle", "middle": "cheap"}
    key = await tenant(plane, downgrade={"models": chain})
    await spend(plane, key, 50)
    assert went(await ask(plane, key, chat(max_tokens=8_000))) == (200, "middle", "@openai/dear")
    await plane.admin("PUT", "/admin/tenants/acme", {"reset_usage": True})
    await spend(plane, key, 50)
    refused = await ask(plane, key, chat(max_tokens=80_000))
    assert (refused.status, refused.headers.get("x-headgate-downgraded-from")) == (412, None)
    assert len(await flagged(plane)) == 1


async def test_less_output_comes_before_a_cheaper_model(plane: Plane) -> None:
    """Where the tenant's rules allow it, as the order says; and with both, less output of the cheaper one."""
    key = await tenant(plane, admission={"clamp_min_output": 1_000}, downgrade=DOWN)
    await spend(plane, key, 80)
    reply = await ask(plane, key, chat(max_tokens=8_000))
    assert went(reply) == (200, "dear", None)
    assert reply.headers["x-headgate-max-tokens"] == "2000"
    await plane.admin("PUT", "/admin/tenants/acme", {"reset_usage": True})
    await spend(plane, key, 85)
    await plane.admin("PUT", "/admin/tenants/acme", {"admission": {"clamp_min_output": 1_600}})
    reply = await ask(plane, key, chat(max_tokens=80_000))
    assert went(reply) == (200, "cheap", "@openai/dear")
    assert reply.headers["x-headgate-max-tokens"] == "15000"


async def test_a_call_that_waits_takes_the_first_model_that_comes_to_fit(tmp_path: Path) -> None:
    """Where only other calls' holds stand in the way, of the cheaper model too: once there is room for that one, it
    goes there."""
    arrived, gate = asyncio.Event(), asyncio.Event()

    async def play(peer: Peer, body: dict[str, Any]) -> None:
        if body["model"] == "dear":
            arrived.set()
            await gate.wait()
        await peer.answer(completion("x", 3, 9_000 if body["model"] == "dear" else 100))

    async with open_plane(tmp_path, play) as plane:
        await plane.integrate("openai", MODELS)
        key = await tenant(plane, downgrade={"at": 1, **DOWN}, admission={"hold_wait_ms": 30_000})
        first = plane.call(key, chat(max_tokens=9_900))
        await arrived.wait()
        second = plane.call(key, chat(max_tokens=2_000))
        assert (await plane.limits(key))[0]["held"] == 99 * NANOS_PER_USD // 100  # meanwhile the second waits
        gate.set()
        assert went(await first.reply()) == (200, "dear", None)
        assert went(await second.reply()) == (200, "cheap", "@openai/dear")


async def test_many_calls_at_once_never_pass_the_cap(plane: Plane) -> None:
    """500 calls for the dear model on a dollar: some dear, then cheap ones, to the last cent that they can use; the sum
    of the records is what the budget says, and nothing stays held."""
    key = await tenant(plane, downgrade=DOWN)
    replies = await asyncio.gather(*(ask(plane, key, chat()) for _ in range(500)))
    models = [reply.headers["x-headgate-model"] for reply in replies if reply.status == 200]
    assert (models.count("dear"), models.count("cheap")) == (90, 100)
    assert {reply.status for reply in replies} <= {200, 412, 429}
    [budget] = await plane.limits(key)
    assert (budget["used"], budget["held"], budget["left"]) == (NANOS_PER_USD, 0, 0)
    records = await plane.records()
    assert sum(record.cost for record in records) == NANOS_PER_USD
    assert len(await flagged(plane)) == 100


async def test_the_tenant_s_webhook_is_told(tmp_path: Path) -> None:
    """What was asked for and where it went, in a message of its own."""

    async def play(peer: Peer, body: dict[str, Any]) -> None:
        await peer.answer(completion("x", 3, int(body["max_tokens"])))

    async def take(peer: Peer, message: Message) -> None:
        await accept(peer, message)
        taken.set()

    taken = asyncio.Event()
    async with Receiver(take) as receiver, open_plane(tmp_path, play, allow_private_webhooks=True) as plane:
        await plane.integrate("openai", MODELS)
        key = await tenant(plane, downgrade=DOWN)
        hook = {"url": receiver.url, "tenant_id": "acme", "types": ["budget.downgraded"]}
        await plane.admin("POST", "/admin/webhooks", hook)
        await spend(plane, key, 95)
        await ask(plane, key, chat())
        async with asyncio.timeout(30):
            await taken.wait()
        told = receiver.messages[0].json["data"]
        assert (told["scope"]["name"], told["model_asked"], told["model"]) == ("acme", "@openai/dear", "@openai/cheap")
