"""A call with a config, before providers that fail: which of them are asked, what the client gets, what is billed.

After every test the books are added up again: what limits say is used is what the records say, and `verify` agrees.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from headgate.base.clock import SystemClock
from headgate.ledger.allowance import Resource
from headgate.ledger.record import Outcome
from headgate.ledger.recovery import Replay
from headgate.storage.every_allowance import every_allowance
from headgate.storage.past_use import past_use
from headgate.storage.verification import verify
from tests.support.asgi import Reply
from tests.support.plane import STREAM_HEAD, Plane, chunk, completion, delta, open_plane
from tests.support.raw_server import Peer

PRICES = {"request_token": 0.0, "response_token": 0.01}
"""Nothing for input, a hundredth of a cent (100,000 nano-dollars) for each token of output."""
TOKEN = 100_000
DEAR = {"request_token": 0.0, "response_token": 1.0}
MESSAGES = [{"role": "user", "content": "hi"}]
USAGE = {
    "id": "c",
    "object": "chat.completion.chunk",
    "choices": [],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2},
}
LAST = {"id": "c", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


async def play(peer: Peer, body: dict[str, Any]) -> None:
    """What a model does is in its name; `fails-N` recovers after so many."""
    match body["model"]:
        case "e500" | "e429" | "e400" as model:
            await refuse(peer, int(model[1:]))
        case "e500-once":
            failed = getattr(peer, "failed", False)
            peer.failed = True  # type: ignore[attr-defined]
            await (peer.answer(completion("hello", 3, 2)) if failed else refuse(peer, 500))
        case "reset":
            peer.reset()
        case "stall":
            await peer.gone()
        case "garbled":
            await peer.answer(b'{"choices": [')
        case "cut" | "empty" as model:
            await peer.send(STREAM_HEAD + (chunk(delta("partly")) if model == "cut" else b""))
            await peer.finish()
        case _ if body.get("stream"):
            events = [delta("hello"), *(b"data: %b\n\n" % json.dumps(each).encode() for each in (LAST, USAGE))]
            await peer.send(STREAM_HEAD + b"".join(map(chunk, [*events, b"data: [DONE]\n\n"])) + b"0\r\n\r\n")
        case _:
            await peer.answer(completion("hello", 3, 2))


async def refuse(peer: Peer, status: int) -> None:
    body = json.dumps({"error": {"message": f"no: {status}", "type": "server_error"}}).encode()
    head = b"HTTP/1.1 %d No\r\ncontent-length: %d\r\nretry-after-ms: 1\r\n\r\n%b"
    await peer.send(head % (status, len(body), body))


@pytest.fixture
def stalled() -> asyncio.Event:
    """A request has come that gets no answer."""
    return asyncio.Event()


@pytest.fixture
async def plane(tmp_path: Path, stalled: asyncio.Event) -> AsyncIterator[Plane]:
    async def watched(peer: Peer, body: dict[str, Any]) -> None:
        if body["model"] == "stall":
            stalled.set()
        await play(peer, body)

    names = ("ok", "e500", "e429", "e400", "e500-once", "reset", "stall", "garbled", "cut", "empty")
    async with open_plane(tmp_path, watched) as opened:
        await opened.integrate("openai", {**dict.fromkeys(names, PRICES), "dear": DEAR})
        yield opened
        records = await opened.records()
        for limit in await opened.limits(await opened.key()):
            assert limit["held"] == 0, limit
        found = await opened.gateway.database.read(lambda connection: verify(connection, Replay(), SystemClock().now()))
        assert found.differences == []
        assert len({record.request_id for record in records}) == len(records)


def fallback(*models: str, codes: list[int] | None = None, **more: object) -> dict[str, object]:
    strategy: dict[str, object] = {"mode": "fallback"} | ({} if codes is None else {"on_status_codes": codes})
    return {
        "strategy": strategy,
        "targets": [{"override_params": {"model": f"@openai/{each}"}} for each in models],
        **more,
    }


async def ask(
    plane: Plane, key: str, config: object, *, stream: bool = False, model: str = "@openai/ok", tokens: int = 10
) -> Reply:
    body = {"model": model, "messages": MESSAGES, "max_tokens": tokens, "stream": stream}
    return await plane.call(key, body, x_portkey_config=json.dumps(config)).reply()


def asked(plane: Plane) -> list[str]:
    return [each["model"] for each in plane.asked]


async def used(plane: Plane, key: str) -> int:
    """Nano-dollars that the key's budget says are used; nothing is held any more."""
    (limit,) = [each for each in await plane.limits(key) if each["resource"] == "cost"]
    assert limit["held"] == 0
    return int(limit["used"])


async def budgeted(plane: Plane, dollars: float = 1.0) -> str:
    return await plane.key(usage_limits={"credit_limit": dollars})


def told(reply: Reply) -> tuple[str, str]:
    return reply.headers["x-portkey-last-used-option-index"], reply.headers["x-portkey-retry-attempt-count"]


@pytest.mark.parametrize("stream", [False, True])
async def test_the_next_target_answers_for_one_that_refuses(plane: Plane, stream: bool) -> None:
    """An error answer is not billed: one record, of the target that answered, which tells of the other."""
    key = await budgeted(plane)
    reply = await ask(plane, key, fallback("e500", "ok"), stream=stream)
    assert (reply.status, asked(plane)) == (200, ["e500", "ok"])
    assert told(reply) == ("config.targets[1]", "0")
    assert b"hello" in reply.body
    [record] = await plane.records()
    assert record.request_id == reply.headers["x-headgate-request-id"]
    assert (record.model, record.model_asked, record.cost, record.attempts) == ("ok", "@openai/ok", 2 * TOKEN, 2)
    [earlier] = record.earlier_attempts
    assert (earlier.provider, earlier.model, earlier.status, earlier.error) == ("openai", "e500", 500, "")
    assert earlier.took > 0
    assert await used(plane, key) == 2 * TOKEN


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["reset", "garbled", "empty"])
async def test_what_a_target_may_have_billed_is_a_record_of_its_own(plane: Plane, model: str, stream: bool) -> None:
    """It broke off after the request was sent: it counts at its bound, and another target answers."""
    key = await budgeted(plane)
    reply = await ask(plane, key, fallback(model, "ok"), stream=stream)
    assert (reply.status, asked(plane)) == (200, [model, "ok"])
    records = {record.model: record for record in await plane.records()}
    lost, answered = records[model], records["ok"]
    assert (lost.outcome, lost.usage_source, lost.cost) == (Outcome.UPSTREAM_FAILED, "estimated", 10 * TOKEN)
    assert (answered.outcome, answered.cost) == (Outcome.OK, 2 * TOKEN)
    assert lost.trace_id == answered.trace_id
    assert answered.request_id == reply.headers["x-headgate-request-id"] != lost.request_id
    assert await used(plane, key) == 12 * TOKEN


def restored(connection: Connection) -> dict[str, int]:
    """The requests that a start would count, by kind of owner."""
    now = SystemClock().now()
    of_requests = [each for each in every_allowance(connection) if each.resource is Resource.REQUESTS]
    return {each.scope.kind: sum(amount for _, amount in past_use(connection, each, now)) for each in of_requests}


async def test_one_call_is_one_request_of_its_caller_whatever_its_attempts(plane: Plane) -> None:
    """Two requests a minute are two calls, each of which was lost at one target and answered by the next; the provider
    counts what went to it. A restart counts the same."""
    counts = {"type": "requests", "unit": "rph"}
    access = {"id": "default", "enabled": True, "rate_limits": [{**counts, "value": 100}]}
    await plane.admin("PUT", "/integrations/openai/workspaces", {"workspaces": [access]})
    policies = {}
    for name in ("api_key", "model"):
        body = {"name": name, "conditions": [], "group_by": [{"key": name}], **counts, "value": 100}
        made = await plane.admin("POST", "/policies/rate-limits", body)
        policies[name] = f"/policies/rate-limits/{made['id']}/entities"
    key = await plane.key(rate_limits=[{"type": "requests", "unit": "rpm", "value": 2}])
    for status in (200, 200, 429):
        assert (await ask(plane, key, fallback("reset", "ok"))).status == status
    assert asked(plane) == ["reset", "ok", "reset", "ok"]
    records = await plane.records()
    assert sorted((record.model, record.requests) for record in records) == [("ok", 0)] * 2 + [("reset", 1)] * 2
    used = {each["scope"]: each["used"] for each in await plane.limits(key) if each["resource"] == "requests"}
    assert used == {"api_key": 2, "integration": 4, "policy": 2}
    for name, by_group in (("api_key", [2]), ("model", [2, 2])):
        found = await plane.admin("GET", policies[name])
        assert [each["current_usage"] for each in found["data"]] == by_group
    assert await plane.gateway.database.read(restored) == {"api_key": 2, "integration": 4}


async def test_a_target_that_does_not_answer_in_time_is_left(plane: Plane) -> None:
    """`request_timeout` is the target's; 408 and 504 both mean it."""
    key = await budgeted(plane)
    for code in (408, 504):
        config = fallback("stall", "ok", codes=[code])
        config["targets"][0]["request_timeout"] = 50  # type: ignore[index]
        assert (await ask(plane, key, config)).status == 200
    assert asked(plane) == ["stall", "ok"] * 2
    assert await used(plane, key) == 2 * 12 * TOKEN


async def test_after_the_first_byte_nothing_is_tried_again(plane: Plane) -> None:
    """The stream ends with the format's own error event, and without `[DONE]`."""
    key = await budgeted(plane)
    reply = await ask(plane, key, fallback("cut", "ok", retry={"attempts": 3}), stream=True)
    assert (reply.status, asked(plane)) == (200, ["cut"])
    assert b"partly" in reply.body
    assert b'"error"' in reply.body
    assert b"[DONE]" not in reply.body
    [record] = await plane.records()
    assert record.outcome is Outcome.UPSTREAM_FAILED


async def test_codes_that_are_not_named_end_it(plane: Plane) -> None:
    """The client gets the provider's own refusal."""
    key = await budgeted(plane)
    reply = await ask(plane, key, fallback("e400", "ok", codes=[429, 500]))
    assert (reply.status, reply.json["error"]["message"]) == (400, "no: 400")
    assert reply.headers["x-headgate-source"] == "provider"
    assert asked(plane) == ["e400"]
    [record] = await plane.records()
    assert (record.outcome, record.cost) == (Outcome.PROVIDER_ERROR, 0)


async def test_where_all_refuse_the_last_refusal_is_told(plane: Plane) -> None:
    """And has a record, that names the others."""
    key = await budgeted(plane)
    reply = await ask(plane, key, fallback("e500", "e429"))
    assert (reply.status, reply.json["error"]["message"]) == (429, "no: 429")
    [record] = await plane.records()
    assert (record.model, record.status, record.cost) == ("e429", 429, 0)
    assert [each.model for each in record.earlier_attempts] == ["e500"]
    assert await used(plane, key) == 0


async def test_the_same_target_is_tried_again_as_often_as_the_config_says(plane: Plane) -> None:
    """After what it names, and in one hold: an error answer cost nothing."""
    key = await plane.key(rate_limits=[{"type": "requests", "unit": "rpm", "value": 1}])
    reply = await ask(plane, key, {"retry": {"attempts": 2, "on_status_codes": [500]}}, model="@openai/e500-once")
    assert (reply.status, told(reply)) == (200, ("config", "1"))
    [record] = await plane.records()
    assert (record.attempts, len(record.earlier_attempts)) == (2, 1)
    key = await budgeted(plane)
    reply = await ask(plane, key, {"retry": {"attempts": 2}}, model="@openai/e500")
    assert (reply.status, asked(plane)[2:], told(reply)) == (500, ["e500"] * 3, ("config", "2"))
    reply = await ask(plane, key, {"retry": {"attempts": 2, "on_status_codes": [429]}}, model="@openai/e500")
    assert (reply.status, len(plane.asked)) == (500, 6)


async def test_another_attempt_must_fit_beside_what_was_lost(plane: Plane) -> None:
    """A budget for one and a half calls: the first may have been billed, so there is no second, and no overspend."""
    key = await budgeted(plane, dollars=0.0015)
    reply = await ask(plane, key, fallback("reset", "ok"))
    assert (reply.status, reply.json["error"]["code"]) == (502, "upstream_broke_off")
    assert asked(plane) == ["reset"]
    assert await used(plane, key) == 10 * TOKEN
    [record] = await plane.records()
    assert (record.model, record.cost) == ("reset", 10 * TOKEN)


async def test_a_dearer_fallback_is_held_for_before_it_is_asked(plane: Plane) -> None:
    """Where it does not fit, the refusal of the cheap one is the answer, with its record; nothing is spent."""
    key = await budgeted(plane, dollars=0.0015)
    reply = await ask(plane, key, fallback("e500", "dear"))
    assert (reply.status, asked(plane)) == (500, ["e500"])
    [record] = await plane.records()
    assert (record.model, record.status, record.cost) == ("e500", 500, 0)
    assert await used(plane, key) == 0
    key = await budgeted(plane)
    assert (await ask(plane, key, fallback("e500", "dear"))).status == 200
    assert await used(plane, key) == 200 * TOKEN


async def test_a_target_that_does_not_fit_is_passed_over_at_the_start(plane: Plane) -> None:
    """412 of the dear one leads to the cheap one, if the config says so; else it is the answer."""
    key = await budgeted(plane, dollars=0.0015)
    reply = await ask(plane, key, fallback("dear", "ok", codes=[412]))
    assert (reply.status, asked(plane)) == (200, ["ok"])
    assert (await ask(plane, key, fallback("dear", "ok", codes=[500]))).status == 412
    assert asked(plane) == ["ok"]


async def test_an_exhausted_integration_leads_to_the_next_and_only_the_one_that_served_is_charged(plane: Plane) -> None:
    """The limits of integrations are asked target by target, and each counts what it served."""
    await plane.integrate("anthropic", {"ok": PRICES})
    access = {"id": "default", "enabled": True, "rate_limits": [{"type": "requests", "unit": "rpm", "value": 1}]}
    await plane.admin("PUT", "/integrations/openai/workspaces", {"workspaces": [access]})
    budget = {"id": "default", "enabled": True, "usage_limits": [{"type": "cost", "credit_limit": 5}]}
    await plane.admin("PUT", "/integrations/anthropic/workspaces", {"workspaces": [budget]})
    key = await plane.key()
    config = {
        "strategy": {"mode": "fallback", "on_status_codes": [429]},
        "targets": [{"provider": "openai"}, {"provider": "anthropic"}],
    }
    places = []
    for _ in range(2):
        reply = await ask(plane, key, config, model="ok")
        places.append(reply.headers.get("x-portkey-last-used-option-index"))
    assert places == ["config.targets[0]", "config.targets[1]"]
    limits = {each["scope"] + each["resource"]: each for each in await plane.limits(key)}
    assert limits["integrationrequests"]["used"] == 1


async def test_a_client_that_leaves_ends_it(plane: Plane, stalled: asyncio.Event) -> None:
    """Nobody is asked any more; what was sent is settled."""
    key = await budgeted(plane)
    body = {"model": "@openai/stall", "messages": MESSAGES, "max_tokens": 10}
    config = {"retry": {"attempts": 5, "on_status_codes": [408]}, "request_timeout": 200}
    call = plane.call(key, body, x_portkey_config=json.dumps(config))
    async with asyncio.timeout(10):
        await stalled.wait()
        call.hang_up()
        await call.task
    assert asked(plane) == ["stall"]
    [record] = await plane.records()
    assert record.outcome is Outcome.CLIENT_GONE


async def test_the_clients_own_deadline_covers_all_attempts(plane: Plane) -> None:
    """However many targets there are."""
    key = await budgeted(plane)
    body = {"model": "@openai/stall", "messages": MESSAGES, "max_tokens": 10}
    config = json.dumps({**fallback("stall", "stall", "stall"), "retry": {"attempts": 5, "on_status_codes": [408]}})
    async with asyncio.timeout(10):
        reply = await plane.call(key, body, x_portkey_config=config, x_portkey_request_timeout="150").reply()
    assert reply.status == 408


async def test_each_target_is_spoken_to_in_its_own_language(plane: Plane) -> None:
    """From OpenAI's to Anthropic's and back, within one call."""
    await plane.integrate("anthropic", {"e500": PRICES})
    targets = [{"provider": "anthropic", "model": "e500"}, {"provider": "openai", "model": "ok"}]
    reply = await ask(plane, await budgeted(plane), {"strategy": {"mode": "fallback"}, "targets": targets})
    assert (reply.status, reply.json["choices"][0]["message"]["content"]) == (200, "hello")
    assert "max_tokens" in plane.asked[0]


async def test_a_limit_that_a_config_sets_is_the_one_that_is_held(plane: Plane) -> None:
    """Overrides are read as if the client had written them: a longer answer must fit."""
    key = await budgeted(plane, dollars=0.0015)
    reply = await ask(plane, key, {"override_params": {"max_tokens": 400}}, tokens=10)
    assert (reply.status, plane.asked) == (412, [])
    reply = await ask(plane, key, {"override_params": {"max_tokens": 4}}, tokens=400)
    assert (reply.status, plane.asked[0]["max_tokens"]) == (200, 4)


async def test_a_key_may_be_kept_to_its_own_config(plane: Plane) -> None:
    """`allow_config_override` false: another config is 400; what is no config, or not here, is said so."""
    made = await plane.admin(
        "POST", "/configs", {"name": "c", "config": fallback("e500", "ok"), "workspace_id": "default"}
    )
    slug = (await plane.admin("GET", f"/configs/{made['id']}"))["slug"]
    key = await plane.key(defaults={"config_id": slug, "allow_config_override": False})
    body = {"model": "@openai/e500", "messages": MESSAGES, "max_tokens": 5}
    assert (await plane.call(key, body).reply()).status == 200
    assert (await plane.call(key, body, x_portkey_config=slug).reply()).status == 200
    bare = await plane.key(defaults={"allow_config_override": False})
    for kept, has_one in ((key, True), (bare, False)):
        refused = await plane.call(kept, body, x_portkey_config='{"retry": {"attempts": 1}}').reply()
        assert (refused.status, refused.json["error"]["code"]) == (400, "config_override_not_allowed")
        assert ("one of its own" in refused.json["message"]) is has_one
    free = await plane.key()
    assert (await plane.call(free, body, x_portkey_config=slug).reply()).status == 200
    for header, status in (("pc-gone", 404), ("{", 400), ('{"targets": [{"custom_host": "x"}]}', 400)):
        assert (await plane.call(free, body, x_portkey_config=header).reply()).status == status
