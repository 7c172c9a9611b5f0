"""Batches: what they are charged, when and to whom, and whose they are."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from headgate.base.usage import Usage
from tests.support.asgi import Reply
from tests.support.batches import batch, books_agree, corrected, left, line, seen
from tests.support.databases import create_postgres_database
from tests.support.services import postgres_url
from tests.support.stand import Stand, standing

__all__ = ["postgres_url"]

pytestmark = pytest.mark.asyncio(loop_scope="module")
CENT = 10_000_000


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgresql"])
async def stand(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stand]:
    """Of each engine."""
    settings: dict[str, Any] = {}
    if request.param == "postgresql":
        settings["database_url"] = await create_postgres_database(request.getfixturevalue("postgres_url"), schema=True)
    async with standing(tmp_path_factory.mktemp("batches"), **settings) as opened:
        await opened.admin("POST", "/admin/tenants", {"tenant_id": "acme", "workspace_id": "default"})
        await opened.price("sim-fast", request_token=0.01, response_token=0.1)
        yield opened


async def test_a_batch_is_charged_as_held_and_then_as_used(stand: Stand) -> None:
    """The most that its lines can cost, at once, marked as an estimate; once it has ended, what they did cost, as the
    provider bills it. Its results are the caller's to read."""
    key = await stand.key()
    made = await batch(stand, key, line(1), line(2, max_tokens=1000))
    assert made.json["status"] == "in_progress"
    record = await stand.record(made)
    assert (record.usage["output"], record.usage_source, record.model) == (1010, "estimated", "sim-fast")
    assert record.cost >= 1010 * CENT // 10
    assert record.usage_flags == ("unpriced:terms:batch",)  # at the standard price, for it has no other
    shown = await seen(stand, key, made)
    assert shown["status"] == "completed"
    after = await corrected(stand, made)
    assert after.usage == stand.bills()[record.request_id].usage
    assert after.cost == after.usage["input"] * CENT // 100 + after.usage["output"] * CENT // 10 < record.cost
    assert after.held == (record.usage["input"], 1010, record.cost)
    assert after.usage_flags == ("unpriced:terms:batch", "corrected")
    output = await stand.call(key, f"/files/{shown['output_file_id']}/content", method="GET")
    assert [json.loads(each)["custom_id"] for each in output.body.splitlines()] == ["r1", "r2"]
    listed = (await stand.call(key, "/batches", method="GET")).json
    assert [each["id"] for each in listed["data"]] == [made.json["id"]]
    await books_agree(stand)


LIMITS: dict[str, Any] = {
    "usage_limits": [{"credit_limit": 100}, {"credit_limit": 90, "periodic_reset": "monthly"}],
    "rate_limits": [
        {"type": "tokens", "unit": "rpd", "value": 1_000_000},
        {"type": "requests", "unit": "rpm", "value": 1_000},
    ],
}


async def test_what_was_not_used_comes_back(stand: Stand) -> None:
    """To every limit that it was charged to, the sliding ones too; a batch is one request."""
    key = await stand.key(**LIMITS)
    before = await left(stand, key)
    made = await batch(stand, key, line(1), line(2, max_tokens=1000))
    held = (await stand.record(made)).cost
    assert [was - now for was, now in zip(before, await left(stand, key), strict=True)][:2] == [held, held]
    await seen(stand, key, made)
    record = await corrected(stand, made)
    tokens = Usage(record.usage).total_tokens
    now = await left(stand, key)
    assert [was - now for was, now in zip(before, now, strict=True)][:3] == [record.cost, record.cost, tokens]
    await books_agree(stand)


@pytest.mark.parametrize(("ends", "billed"), [("expires", 1), ("fails", 0), ("waits", 1)])
async def test_what_was_not_done_is_not_charged(stand: Stand, ends: str, billed: int) -> None:
    """Of a batch that expired, failed or was cancelled, what was answered is."""
    key = await stand.key(**LIMITS)
    made = await batch(stand, key, line(1), line(2), ends=ends)
    assert (await seen(stand, key, made))["status"] in ("expired", "failed", "in_progress")
    if ends == "waits":
        cancelled = await stand.call(key, f"/batches/{made.json['id']}/cancel")
        assert cancelled.json["status"] == "cancelled"
    record = await corrected(stand, made)
    assert record.usage == (stand.bills()[record.request_id].usage if billed else {})
    assert bool(record.cost) == bool(billed)
    await books_agree(stand)


async def test_lines_that_failed_are_not_charged(stand: Stand) -> None:
    """The provider bills those that it answered."""
    key = await stand.key()
    made = await batch(stand, key, line(1, model="sim-500"), line(2, model="sim-500"))
    assert (await seen(stand, key, made))["request_counts"] == {"total": 2, "completed": 0, "failed": 2}
    assert (await corrected(stand, made)).usage == {}


async def test_guardrails_look_at_every_line(stand: Stand) -> None:
    """One that denies names the line; one that does not is noted; one on answers takes no batches."""

    async def guarded(hook: str, deny: bool) -> str:
        checks = [{"id": "default.contains", "parameters": {"words": ["forbidden"], "operator": "none"}}]
        made = await stand.admin(
            "POST", "/guardrails", {"name": f"{hook} {deny}", "checks": checks, "actions": {"deny": deny}}
        )
        config = {"name": "guarded", "config": {hook: [made["id"]]}}
        return await stand.key(defaults={"config_id": (await stand.admin("POST", "/configs", config))["slug"]})

    bad = line(2, messages=[{"role": "user", "content": "forbidden"}])
    refused = await batch(stand, await guarded("input_guardrails", True), line(1), bad)
    assert (refused.status, refused.json["error"]["details"]["line"]) == (446, 2)
    noted = await batch(stand, await guarded("input_guardrails", False), line(1), bad)
    assert noted.status == 246
    assert any(flag.startswith("guardrail_failed:") for flag in (await stand.record(noted)).usage_flags)
    unseen = await batch(stand, await guarded("output_guardrails", True), line(1))
    assert (unseen.status, unseen.json["error"]["code"]) == (400, "batch_not_guarded")


async def test_without_a_price_a_budget_takes_no_batch(stand: Stand) -> None:
    """As it takes no call."""
    refused = await batch(stand, await stand.key(**LIMITS), line(1, model="sim-long"))
    assert (refused.status, refused.json["error"]["code"]) == (412, "cost_not_bounded")


async def test_never_over_the_cap(stand: Stand) -> None:
    """With batches and calls at once, at every instant; what batches give back can be spent, and no more."""
    cap = 100  # cents
    key = await stand.key(usage_limits={"credit_limit": cap / 100})
    body = {"model": "@openai/sim-fast", "max_tokens": 10, "messages": [{"role": "user", "content": "hello"}]}

    async def batches() -> list[Reply]:
        made = []
        for _ in range(4):
            each = await batch(stand, key, line(1, max_tokens=100), line(2, max_tokens=100))
            if each.status == 200:
                made.append(each)
                await seen(stand, key, each)
        return made

    async def calls() -> int:
        return sum([(await stand.call(key, "/chat/completions", body)).status == 200 for _ in range(20)])

    made, *answered = await asyncio.gather(batches(), calls(), calls())
    for each in made:
        await corrected(stand, each)
    assert made
    assert all(answered)
    [limit] = (await stand.call(key, "/limits", method="GET")).json["data"]
    assert limit["used"] + limit["left"] == limit["limit"]
    assert limit["left"] >= 0
    await books_agree(stand)


async def test_a_batch_that_does_not_fit_is_refused(stand: Stand) -> None:
    """As a call is, before the provider makes one."""
    key = await stand.key(usage_limits={"credit_limit": 1})
    refused = await batch(stand, key, *(line(number, max_tokens=100) for number in range(20)))
    assert (refused.status, refused.json["error"]["type"]) == (412, "budget_exhausted_error")
    assert (await stand.call(key, "/batches", method="GET")).json["data"] == []


async def test_a_batch_is_not_for_others(stand: Stand) -> None:
    """Neither it, nor its results, nor a file of somebody else's as its input."""
    key, other = await stand.key(), await stand.key(tenant_id="acme")
    made = (await batch(stand, key, line(1))).json
    shown = (await stand.call(key, f"/batches/{made['id']}", method="GET")).json
    assert (await stand.call(other, f"/batches/{made['id']}", method="GET")).status == 404
    assert (await stand.call(other, f"/batches/{made['id']}/cancel")).status == 404
    assert (await stand.call(other, f"/files/{shown['output_file_id']}/content", method="GET")).status == 404
    assert (await stand.call(other, "/batches", {"input_file_id": made["input_file_id"]})).status == 404
    assert (await stand.call(other, "/batches", method="GET")).json["data"] == []


@pytest.mark.parametrize(
    "bad",
    [
        b"no json",
        line(2, model="@openai/sim-fast"),
        line(2, model="sim-long"),
        line(2, stream=True),
        line(2, max_tokens=None),
        line(2, max_tokens="ten"),
        line(2).replace(b"/v1/chat/completions", b"/v1/audio/speech"),
        line(2).replace(b"/v1/chat/completions", b"/v1/embeddings"),
        line(2, messages=[{"role": "user", "content": [{"type": "file", "file": {"file_id": "file-x"}}]}]),
    ],
    ids=["no json", "at", "two models", "stream", "no limit", "no number", "url", "another url", "a file"],
)
async def test_a_line_that_cannot_be_bounded_is_named(stand: Stand, bad: bytes) -> None:
    """By its number."""
    refused = await batch(stand, await stand.key(), line(1), bad)
    assert (refused.status, refused.json["error"]["details"].get("line")) == (400, 2)


@pytest.mark.parametrize("endpoint", ["/v1/embeddings", "/v1/audio/speech", ""])
async def test_lines_go_to_the_endpoint_of_the_batch(stand: Stand, endpoint: str) -> None:
    """As what they are bounded, whichever of the two the provider goes by."""
    key = await stand.key()
    sent = await stand.form(key, "/files", {"purpose": "batch", "file": line(1)}, x_portkey_provider="@openai")
    refused = await stand.call(key, "/batches", {"input_file_id": sent.json["id"], "endpoint": endpoint})
    assert refused.status == 400
    assert refused.json["error"]["param"] == ("input_file_id" if endpoint == "/v1/embeddings" else "endpoint")


async def test_a_model_that_is_not_allowed_is_refused(stand: Stand) -> None:
    """In a line as in a call."""
    await stand.admin("PUT", "/integrations/openai/models", {"models": [{"slug": "sim-huge", "enabled": False}]})
    refused = await batch(stand, await stand.key(), line(1, model="sim-huge"))
    assert (refused.status, refused.json["error"]["code"]) == (412, "model_not_allowed")
