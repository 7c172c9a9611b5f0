"""Guardrails on calls, end to end: what is refused, what it costs, what passes and is told."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from headgate.base.money import usd
from tests.support.plane import STREAM_HEAD, Plane, chunk, completion, delta, open_plane
from tests.support.raw_server import Peer

PRICES = {"request_token": 0.001, "response_token": 0.01}
MODELS = {"m": PRICES, "dear": PRICES}
DENY, FLAG, ASYNC = {"deny": True}, {"deny": False}, {"async": True}
NO_SECRETS = {"id": "default.contains", "parameters": {"words": ["secret"], "operator": "none"}}
BY_TIER = {
    "id": "default.modelRules",
    "parameters": {
        "rules": {"defaults": ["m"], "metadata_routing": {"subscription_tier": {"enterprise": ["m", "dear"]}}}
    },
}


async def endless(peer: Peer, said: str) -> None:
    with suppress(ConnectionError):
        while True:
            await peer.send(chunk(delta(said)))
            await asyncio.sleep(0)  # one event after the other, as far as the reader keeps up


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[Plane]:
    """The provider says what it is asked to say, in three words of usage."""

    async def play(peer: Peer, body: dict[str, Any]) -> None:
        said = body["messages"][-1]["content"].removeprefix("say ")
        if not body.get("stream"):
            await peer.answer(completion(said, 3, 3))
            return
        await peer.send(STREAM_HEAD)
        if said.startswith("endless"):
            await endless(peer, said)
            return
        half = len(said) // 2
        for part in (said[:half], said[half:]):
            await peer.send(chunk(delta(part)))
        end = {"index": 0, "delta": {}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6}
        last = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [end]}
        told = {**last, "choices": [], "usage": usage}
        events = b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in (last, told))
        await peer.send(chunk(events + b"data: [DONE]\n\n") + b"0\r\n\r\n")

    async with open_plane(tmp_path, play) as opened:
        await opened.integrate("openai", MODELS)
        yield opened


async def attach(plane: Plane, side: str, check: object, actions: object, workspace: str | None = "default") -> str:
    """A guardrail with one check, on all calls or answers of the workspace; its slug."""
    body = {"name": "the guardrail", "checks": [check], "actions": actions, "workspace_id": workspace}
    slug = str((await plane.admin("POST", "/guardrails", body))["slug"])
    owner = "/admin/organisation" if workspace is None else f"/admin/workspaces/{workspace}"
    await plane.admin("PUT", owner, {"defaults": {side: [slug]}})
    return slug


def ask(text: str, model: str = "@openai/m", **more: object) -> dict[str, object]:
    return {"model": model, "max_tokens": 50, "messages": [{"role": "user", "content": text}], **more}


async def test_model_rules_follow_the_tier(plane: Plane) -> None:
    """The guide's model rules: refused with 446 before anything is held or sent; the refusal lists what is allowed."""
    slug = await attach(plane, "input_guardrails", BY_TIER, DENY, workspace=None)
    starter = await plane.key(rate_limits=[{"type": "requests", "unit": "rpm", "value": 1}])
    enterprise = await plane.key(defaults={"metadata": {"subscription_tier": "enterprise"}})
    refused = await plane.call(starter, ask("say hi", "@openai/dear")).reply()
    error = refused.json["error"]
    assert (refused.status, error["type"], error["code"]) == (446, "guardrail_denied_error", "guardrail_denied")
    assert error["details"] == {"guardrail": slug, "check": "default.modelRules", "allowed": ["@openai/m"]}
    assert (await plane.call(enterprise, ask("say hi", "@openai/dear")).reply()).status == 200
    # The refusal took none of the one request a minute.
    assert (await plane.call(starter, ask("say hi")).reply()).status == 200
    assert len(plane.asked) == len(await plane.records()) == 2


@pytest.mark.parametrize("spoofed", ["header", "body"])
async def test_a_customer_cannot_claim_another_tier(plane: Plane, spoofed: str) -> None:
    """R1.5: what the key or its workspace says is over what the request says, wherever the request says it."""
    await attach(plane, "input_guardrails", BY_TIER, DENY)
    key = await plane.key(defaults={"metadata": {"subscription_tier": "starter"}})
    claim = {"subscription_tier": "enterprise"}
    body, headers = ask("say hi", "@openai/dear"), {}
    if spoofed == "header":
        headers["x_portkey_metadata"] = json.dumps(claim)
    else:
        body["metadata"] = claim
    assert (await plane.call(key, body, **headers).reply()).status == 446
    await plane.admin("PUT", "/admin/workspaces/default", {"defaults": {"metadata": claim}})
    assert (await plane.call(key, body, **headers).reply()).status == 200


async def test_models_that_rules_forbid_are_not_listed(plane: Plane) -> None:
    """`GET /v1/models` lists what a call with this key and this metadata would be allowed."""
    await attach(plane, "input_guardrails", BY_TIER, DENY)

    async def listed(key: str, **headers: str) -> set[str]:
        reply = await plane.call(key, None, "/v1/models", **headers).reply()
        return {model["id"] for model in reply.json["data"]} & {"@openai/m", "@openai/dear"}

    enterprise = {"defaults": {"metadata": {"subscription_tier": "enterprise"}}}
    assert await listed(await plane.key()) == {"@openai/m"}
    assert await listed(await plane.key(**enterprise)) == {"@openai/m", "@openai/dear"}
    claimed = {"x_portkey_metadata": json.dumps({"subscription_tier": "enterprise"})}
    assert await listed(await plane.key(), **claimed) == {"@openai/m", "@openai/dear"}
    starter = {"defaults": {"metadata": {"subscription_tier": "starter"}}}
    assert await listed(await plane.key(**starter), **claimed) == {"@openai/m"}


async def test_a_request_s_text_is_checked_before_it_is_held(plane: Plane) -> None:
    """Nothing is sent and nothing used; the refusal names guardrail and check, and not the text."""
    await attach(plane, "input_guardrails", NO_SECRETS, DENY)
    key = await plane.key()
    refused = await plane.call(key, ask("a secret")).reply()
    assert refused.status == 446
    message = refused.json["error"]["message"]
    assert "the guardrail" in message
    assert "default.contains" in message
    earlier = [{"role": "system", "content": "secret"}, {"role": "user", "content": "hi"}]
    assert (await plane.call(key, ask("", messages=earlier)).reply()).status == 446
    assert (await plane.call(key, ask("say hi")).reply()).status == 200
    assert len(plane.asked) == len(await plane.records()) == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_what_fails_and_may_pass_is_told(plane: Plane, stream: bool) -> None:
    """Status 246 for the client, a flag in the usage record; and an async guardrail tells the record only."""
    slug = await attach(plane, "input_guardrails", NO_SECRETS, FLAG)
    key = await plane.key()
    reply = await plane.call(key, ask("say secret", stream=stream)).reply()
    assert (reply.status, reply.headers["x-headgate-guardrails-failed"]) == (246, slug)
    await plane.admin("PUT", f"/guardrails/{slug}", {"actions": ASYNC})
    quiet = await plane.call(key, ask("say secret", stream=stream)).reply()
    assert (quiet.status, "x-headgate-guardrails-failed" in quiet.headers) == (200, False)
    fine = await plane.call(key, ask("say hi", stream=stream)).reply()
    assert fine.status == 200
    flags = [(record.status, record.usage_flags) for record in await plane.records()]
    assert sorted(flags) == [(200, ()), (200, (f"guardrail_failed:{slug}",)), (246, (f"guardrail_failed:{slug}",))]


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_that_is_denied_is_paid_for(plane: Plane, stream: bool) -> None:
    """The provider has answered: the client gets 446 and not a byte of it, and the record says what it cost and why."""
    slug = await attach(plane, "output_guardrails", NO_SECRETS, DENY)
    key = await plane.key(usage_limits={"credit_limit": 1})
    denied = await plane.call(key, ask("say secret", stream=stream)).reply()
    assert (denied.status, denied.json["error"]["code"]) == (446, "guardrail_denied")
    assert b"sec" not in denied.body
    passed = await plane.call(key, ask("say hi", stream=stream)).reply()
    assert passed.status == 200
    assert ("hi" in passed.body.decode()) is not stream  # its two halves come as they came
    records = {record.status: record for record in await plane.records()}
    assert set(records) == {446, 200}
    cost = 3 * 10_000 + 3 * 100_000
    assert (records[446].cost, records[446].outcome) == (cost, "denied")
    assert denied.headers["x-headgate-cost-usd"] == usd(cost)
    assert records[446].usage_flags == (f"guardrail_denied:{slug}",)
    assert (records[200].cost, records[200].usage_flags) == (cost, ())
    [limit] = [limit for limit in await plane.limits(key) if limit["resource"] == "cost"]
    assert limit["used"] == 2 * cost


async def test_a_stream_that_nothing_may_deny_is_not_held_back(plane: Plane) -> None:
    """It passes as it comes, with status 200; its record says what its text was found to be."""
    slug = await attach(plane, "output_guardrails", NO_SECRETS, FLAG)
    reply = await plane.call(await plane.key(), ask("say secret", stream=True)).reply()
    assert reply.status == 200
    assert reply.body.endswith(b"data: [DONE]\n\n")
    [record] = await plane.records()
    assert (record.status, record.usage_flags) == (200, (f"guardrail_failed:{slug}",))
    plain = await plane.call(await plane.key(), ask("say secret")).reply()
    assert plain.status == 246


@pytest.mark.parametrize("said", ["endless words", "endless secrets"])
async def test_a_stream_that_is_cut_is_checked_too(plane: Plane, said: str) -> None:
    """Where its budget ends it ends as if by its length limit: checked, and given to the client whole or not at all."""
    await attach(plane, "output_guardrails", NO_SECRETS, DENY)
    rules = {"admission": {"streams": "adaptive", "first_hold_tokens": 2048}}
    await plane.admin("PUT", "/admin/organisation", rules)
    key = await plane.key(usage_limits={"credit_limit": 0.5})
    reply = await plane.call(key, ask(f"say {said}", stream=True, max_tokens=20_000)).reply()
    [record] = await plane.records()
    assert (record.status, record.cost > 0) == (reply.status, True)
    if "secret" in said:
        assert (reply.status, record.outcome) == (446, "denied")
        assert b"secret" not in reply.body
    else:
        assert (reply.status, record.outcome) == (200, "cut")
        assert reply.body.count(said.encode()) > 10
        assert reply.body.endswith(b"data: [DONE]\n\n")


async def test_a_key_s_guardrails_come_through_its_config(plane: Plane) -> None:
    """They hold for that key, and for no other of the workspace."""
    body = {"name": "g", "checks": [NO_SECRETS], "actions": DENY, "workspace_id": "default"}
    slug = (await plane.admin("POST", "/guardrails", body))["slug"]
    config = {"name": "c", "config": {"input_guardrails": [slug]}, "workspace_id": "default"}
    config_id = (await plane.admin("POST", "/configs", config))["slug"]
    guarded = await plane.key(defaults={"config_id": config_id})
    assert (await plane.call(guarded, ask("say secret")).reply()).status == 446
    assert (await plane.call(await plane.key(), ask("say secret")).reply()).status == 200


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("actions", [DENY, FLAG, ASYNC])
async def test_a_guardrail_gives_feedback_on_what_it_looked_at(
    plane: Plane, actions: dict[str, bool], stream: bool
) -> None:
    """Under the call's trace id, of success and of failure, of requests and of answers, refused ones too; none from a
    guardrail that has no opinion, and none on an answer that nobody gave."""
    opinions = {"on_success": {"feedback": {"value": 5, "weight": 0.5}}, "on_fail": {"feedback": {"value": -10}}}
    for side in ("input_guardrails", "output_guardrails"):
        check = {"id": "default.contains", "parameters": {"words": [side[:3]], "operator": "none"}}
        await attach(plane, side, check, actions | opinions)
    key = await plane.key()
    for text in ("say hi", "say out", "say inp"):
        await plane.call(key, ask(text, stream=stream), x_portkey_trace_id=text.replace(" ", "-")).reply()
    await plane.gateway.logs.opinions.write()
    rows = "SELECT trace_id, value, weight FROM feedback ORDER BY trace_id, value"
    found = await plane.gateway.database.read(lambda c: c.exec_driver_sql(rows).all())
    good, bad = (5, 500_000), (-10, 1_000_000)
    wanted = [("say-hi", *good), ("say-hi", *good), ("say-inp", *bad)]
    if actions is not DENY:  # the call went on, and its answer was looked at
        wanted.append(("say-inp", *good))
    assert [tuple(row) for row in found] == [*wanted, ("say-out", *bad), ("say-out", *good)]
    graph = await plane.admin("GET", "/analytics/graphs/feedbacks")
    assert graph["summary"] == {"total": len(found)}


async def test_another_config_does_not_get_around_a_key_s_guardrails(plane: Plane) -> None:
    """What the default config attaches holds whatever config a call names; what that one attaches comes on top."""
    body = {"name": "g", "checks": [NO_SECRETS], "actions": DENY, "workspace_id": "default"}
    slug = (await plane.admin("POST", "/guardrails", body))["slug"]
    config = {"name": "c", "config": {"input_guardrails": [slug]}, "workspace_id": "default"}
    config_id = (await plane.admin("POST", "/configs", config))["slug"]
    guarded, free = await plane.key(defaults={"config_id": config_id}), await plane.key()
    assert (await plane.call(guarded, ask("say secret"), x_portkey_config="{}").reply()).status == 446
    assert (await plane.call(free, ask("say secret"), x_portkey_config=config_id).reply()).status == 446
    own = json.dumps({"output_guardrails": [slug]})
    assert (await plane.call(free, ask("say secret"), x_portkey_config=own).reply()).status == 446
    assert len(plane.asked) == 1
    foreign = json.dumps({"input_guardrails": ["pg-absent"]})
    assert (await plane.call(free, ask("say hi"), x_portkey_config=foreign).reply()).status == 400


async def test_a_fallback_goes_past_what_rules_forbid(plane: Plane) -> None:
    """A target that the caller's model rules forbid is one that failed with 446, and the next one is tried."""
    await attach(plane, "input_guardrails", BY_TIER, DENY)
    targets = [{"model": "@openai/dear"}, {"model": "@openai/m"}]
    config = json.dumps({"strategy": {"mode": "fallback"}, "targets": targets})
    reply = await plane.call(await plane.key(), ask("say hi"), x_portkey_config=config).reply()
    assert (reply.status, reply.headers["x-headgate-model"]) == (200, "m")
    assert [body["model"] for body in plane.asked] == ["m"]


async def test_a_guardrail_that_is_detached_checks_nothing(plane: Plane) -> None:
    """From the next call on."""
    await attach(plane, "input_guardrails", NO_SECRETS, DENY)
    key = await plane.key()
    assert (await plane.call(key, ask("say secret")).reply()).status == 446
    await plane.admin("PUT", "/admin/workspaces/default", {"defaults": {"input_guardrails": []}})
    assert (await plane.call(key, ask("say secret")).reply()).status == 200
