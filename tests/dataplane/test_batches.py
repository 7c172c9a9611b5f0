"""Batches: who may make one, what it is charged, and whose it is."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.support.asgi import Reply
from tests.support.stand import Stand, standing

pytestmark = pytest.mark.asyncio(loop_scope="module")
CENT = 10_000_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stand(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stand]:
    async with standing(tmp_path_factory.mktemp("batches")) as opened:
        await opened.admin("POST", "/admin/tenants", {"tenant_id": "acme", "workspace_id": "default"})
        await opened.price("sim-fast", request_token=0.01, response_token=0.1)
        yield opened


def line(number: int, **more: object) -> bytes:
    body = {"model": "sim-fast", "max_tokens": 10, "messages": [{"role": "user", "content": "hello"}], **more}
    return json.dumps(
        {"custom_id": f"r{number}", "method": "POST", "url": "/v1/chat/completions", "body": body}
    ).encode()


async def batch(stand: Stand, key: str, *lines: bytes) -> Reply:
    sent = await stand.form(
        key, "/files", {"purpose": "batch", "file": b"\n".join(lines)}, x_portkey_provider="@openai"
    )
    body = {"input_file_id": sent.json["id"], "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    return await stand.call(key, "/batches", body)


async def test_a_batch_is_charged_as_held(stand: Stand) -> None:
    """The sum of what its lines can cost, at once, and marked as an estimate; its results are the caller's to read."""
    key = await stand.key()
    made = await batch(stand, key, line(1), line(2))
    assert made.json["status"] == "completed"
    record = await stand.record(made)
    assert (record.usage["output"], record.usage_source, record.model) == (20, "estimated", "sim-fast")
    assert record.cost >= 20 * CENT // 10
    assert record.usage_flags == ("unpriced:terms:batch",)  # at the standard price, for it has no other
    shown = await stand.call(key, f"/batches/{made.json['id']}", method="GET")
    output = await stand.call(key, f"/files/{shown.json['output_file_id']}/content", method="GET")
    assert [json.loads(each)["custom_id"] for each in output.body.splitlines()] == ["r1", "r2"]
    listed = (await stand.call(key, "/batches", method="GET")).json
    assert [each["id"] for each in listed["data"]] == [made.json["id"]]
    assert (await stand.record(shown)).cost == 0


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


LIMITS: dict[str, dict[str, Any]] = {
    "budget": {"usage_limits": {"credit_limit": 100}},
    "tokens": {"rate_limits": [{"type": "tokens", "unit": "rpm", "value": 1_000_000}]},
}


@pytest.mark.parametrize("limit", LIMITS)
async def test_where_a_limit_applies_there_are_no_batches(stand: Stand, limit: str) -> None:
    """Refused with the reason, before the provider makes one."""
    refused = await batch(stand, await stand.key(**LIMITS[limit]), line(1))
    assert (refused.status, refused.json["error"]["code"]) == (400, "batch_not_bounded")


@pytest.mark.parametrize(
    "bad",
    [
        b"no json",
        line(2, model="@openai/sim-fast"),
        line(2, model="sim-long"),
        line(2, stream=True),
        line(2, max_tokens=None),
        line(2).replace(b"/v1/chat/completions", b"/v1/audio/speech"),
        line(2, messages=[{"role": "user", "content": [{"type": "file", "file": {"file_id": "file-x"}}]}]),
    ],
    ids=["no json", "at", "two models", "stream", "no limit", "url", "a file"],
)
async def test_a_line_that_cannot_be_bounded_is_named(stand: Stand, bad: bytes) -> None:
    """By its number."""
    refused = await batch(stand, await stand.key(), line(1), bad)
    assert (refused.status, refused.json["error"]["details"].get("line")) == (400, 2)


async def test_a_model_that_is_not_allowed_is_refused(stand: Stand) -> None:
    """In a line as in a call."""
    await stand.admin("PUT", "/integrations/openai/models", {"models": [{"slug": "sim-huge", "enabled": False}]})
    refused = await batch(stand, await stand.key(), line(1, model="sim-huge"))
    assert (refused.status, refused.json["error"]["code"]) == (412, "model_not_allowed")
