"""`Idempotency-Key` on calls: who is answered again, who is refused, and what is charged. Each answer of the provider
is another one."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from headgate.base.clock import NANOS_PER_SECOND, SystemClock
from headgate.base.errors import Unavailable
from headgate.bootstrap import Gateway
from headgate.dataplane import once
from headgate.ledger.recovery import Replay
from headgate.storage.people_tables import idempotency_key as table
from headgate.storage.verification import verify
from headgate.tenancy.idempotency import KEEP_S, Idempotency
from tests.support.asgi import Reply
from tests.support.numbered import TOKEN, Numbered, ask, furnish
from tests.support.plane import Client, Plane, open_plane

AGAIN = "x-headgate-idempotent-replay"


@pytest.fixture
async def provider() -> Numbered:
    return Numbered()


@pytest.fixture
async def plane(tmp_path: Path, provider: Numbered) -> AsyncIterator[Plane]:
    async with opened(tmp_path, provider) as made:
        yield made


@asynccontextmanager
async def opened(directory: Path, provider: Numbered, **settings: Any) -> AsyncIterator[Plane]:
    async with open_plane(directory, provider.play, **settings) as plane:
        await furnish(plane)
        yield plane
        await plane.records()
        found = await plane.gateway.database.read(lambda connection: verify(connection, Replay(), SystemClock().now()))
        assert found.differences == []


def begin(plane: Plane, key: str, body: object = None, once: str = "k", **more: Any) -> Client:
    return plane.call(key, ask() if body is None else body, idempotency_key=once, **more)


async def call(plane: Plane, key: str, body: object = None, once: str = "k", **more: Any) -> Reply:
    return await begin(plane, key, body, once, **more).reply()


async def costs(plane: Plane) -> list[int]:
    return sorted(record.cost for record in await plane.records())


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (ask(), "/v1/chat/completions"),
        (ask(stream=True), "/v1/chat/completions"),
        (ask(stream=True), "/v1/messages"),
    ],
    ids=["whole", "stream", "translated"],
)
async def test_sent_again_it_is_answered_again_and_charged_once(
    plane: Plane, provider: Numbered, body: object, path: str
) -> None:
    """Status, shape and every byte of the body; the headers say where it went, whose answer it is, and that it is not
    the first."""
    key = await plane.key(usage_limits={"credit_limit": 1})
    first, again = [await call(plane, key, body, path=path) for _ in range(2)]
    assert (first.status, again.status, provider.answers) == (200, 200, 1)
    assert again.body == first.body
    assert b"answer 1" in again.body
    assert again.headers["content-type"] == first.headers["content-type"]
    assert AGAIN not in first.headers
    assert again.headers[AGAIN] == "true"
    assert again.headers["x-headgate-first-request-id"] == first.headers["x-headgate-request-id"]
    assert again.headers["x-headgate-request-id"] != first.headers["x-headgate-request-id"]
    assert (again.headers["x-headgate-model"], again.headers["x-headgate-cost-usd"]) == ("ok", "0.000000")
    assert await costs(plane) == [TOKEN]


async def test_with_a_config_too(plane: Plane, provider: Numbered) -> None:
    """A fallback's answer is the call's answer, and both targets are asked once."""
    key = await plane.key()
    targets = [{"override_params": {"model": f"@openai/{model}"}} for model in ("e500", "ok")]
    config = {"x_portkey_config": json.dumps({"strategy": {"mode": "fallback"}, "targets": targets})}
    first, again = [await call(plane, key, **config) for _ in range(2)]
    assert again.body == first.body
    assert again.headers["x-portkey-last-used-option-index"] == "config.targets[1]"
    assert provider.answers == 2


@pytest.mark.parametrize(
    "different", [{"body": ask("another")}, {"path": "/v1/messages"}, {"x_portkey_provider": "openai"}]
)
async def test_another_request_is_refused(plane: Plane, provider: Numbered, different: dict[str, Any]) -> None:
    """422, whatever it differs in that says what is asked of whom; the first answer is still there."""
    key = await plane.key()
    first = await call(plane, key)
    refused = await call(plane, key, **different)
    assert refused.status == 422
    assert b"Idempotency-Key" in refused.body
    assert (await call(plane, key)).body == first.body
    assert provider.answers == 1


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_while_the_first_is_under_way_the_second_is_told_to_wait(
    plane: Plane, provider: Numbered, stream: bool
) -> None:
    """409 with `retry-after`, as often as it is sent; then the answer."""
    key, body = await plane.key(), ask(model="slow", stream=stream)
    first = begin(plane, key, body)
    await provider.reached.wait()
    for _ in range(2):
        refused = await call(plane, key, body)
        assert (refused.status, refused.headers["retry-after"]) == (409, "1")
    provider.go_on.set()
    answered = await first.reply()
    again = await call(plane, key, body)
    assert (answered.status, again.body, provider.answers) == (200, answered.body, 1)


async def test_of_many_at_once_one_is_carried_out(plane: Plane, provider: Numbered) -> None:
    """The others get its answer or are told to wait; one is charged."""
    key = await plane.key()
    replies = await asyncio.gather(*(call(plane, key) for _ in range(20)))
    assert {reply.status for reply in replies} <= {200, 409}
    assert (provider.answers, await costs(plane)) == (1, [TOKEN])


async def test_keys_are_of_a_caller(plane: Plane, provider: Numbered) -> None:
    """Another API key, and the same key acting for another tenant, get answers of their own."""
    for tenant in ("acme", "globex"):
        await plane.admin("POST", "/admin/tenants", {"tenant_id": tenant, "workspace_id": "default"})
    backend = await plane.key(scopes=["completions.write", "tenants.act_as"])
    customer = await plane.key()
    parties: list[tuple[str, dict[str, str]]] = [
        (customer, {}),
        (backend, {}),
        (backend, {"x_headgate_tenant": "acme"}),
        (backend, {"x_headgate_tenant": "globex"}),
    ]
    bodies = [(await call(plane, key, **acting)).body for key, acting in parties]
    assert (len(set(bodies)), provider.answers) == (4, 4)
    assert [(await call(plane, key, **acting)).body for key, acting in parties] == bodies


async def test_a_refusal_leaves_the_key_free(plane: Plane, provider: Numbered) -> None:
    """It cost nothing: the same key may be used again, for the same request or a mended one."""
    key = await plane.key(rate_limits=[{"type": "requests", "unit": "rpm", "value": 1}])
    assert (await call(plane, key, ask() | {"model": "@nowhere/ok"})).status >= 400
    assert (await call(plane, key)).status == 200
    assert (await call(plane, key, once="other")).status == 429
    assert (await call(plane, key, ask("mended"), once="other")).status == 429
    assert provider.answers == 1


async def test_a_provider_s_error_leaves_the_key_free(plane: Plane, provider: Numbered) -> None:
    """It was not billed, and trying again is what keys are for."""
    key, body = await plane.key(), ask(model="e500")
    replies = [await call(plane, key, body) for _ in range(2)]
    assert [reply.status for reply in replies] == [500, 500]
    assert provider.answers == 2
    assert await costs(plane) == [0, 0]


@pytest.mark.parametrize(("model", "stream"), [("reset", False), ("cut", True)])
async def test_what_may_have_been_billed_is_not_asked_for_again(
    plane: Plane, provider: Numbered, model: str, stream: bool
) -> None:
    """A call that broke off is charged at its bound. The same key asks no provider again: it is told the error that the
    first one was told, or, where that one was told half an answer, that there is no more of it."""
    key, body = await plane.key(), ask(model=model, stream=stream)
    first = await call(plane, key, body)
    again = await call(plane, key, body)
    assert provider.answers == 1
    if stream:
        assert (first.status, again.status, again.json["error"]["code"]) == (200, 409, "answer_not_kept")
        assert again.json["error"]["details"] == {"request_id": first.headers["x-headgate-request-id"]}
        assert "retry-after" not in again.headers
    else:
        assert (first.status, again.status, again.body) == (502, 502, first.body)
        assert again.headers[AGAIN] == "true"
    assert len([cost for cost in await costs(plane) if cost]) == 1


async def test_what_a_guardrail_kept_back_stays_back(plane: Plane, provider: Numbered) -> None:
    """It was paid for: sent again, it is refused again in the same words, and not paid for again."""
    key = await plane.key()
    check = {"id": "default.contains", "parameters": {"words": ["answer"], "operator": "none"}}
    body = {"name": "g", "checks": [check], "actions": {"deny": True}, "workspace_id": "default"}
    slug = (await plane.admin("POST", "/guardrails", body))["slug"]
    await plane.admin("PUT", "/admin/workspaces/default", {"defaults": {"output_guardrails": [slug]}})
    first, again = [await call(plane, key) for _ in range(2)]
    assert (first.status, again.status, again.body) == (446, 446, first.body)
    assert (provider.answers, await costs(plane)) == (1, [TOKEN])


async def test_a_client_that_hung_up_gets_its_answer_later(plane: Plane, provider: Numbered) -> None:
    """The provider was read to its end; what nobody was there to receive is what the key stands for."""
    key, body = await plane.key(), ask(model="slow", stream=True)
    first = begin(plane, key, body)
    await provider.reached.wait()
    await first.received(1)
    first.hang_up()
    provider.go_on.set()
    await first.task
    again = await call(plane, key, body)
    assert (again.status, again.headers[AGAIN], provider.answers) == (200, "true", 1)
    assert again.body.startswith(first.body)
    assert b"answer 1" in again.body
    assert again.body.endswith(b"data: [DONE]\n\n")


async def test_an_answer_that_is_too_large_is_not_kept(tmp_path: Path, provider: Numbered) -> None:
    """It goes out whole; sent again, the call is refused and says why."""
    async with opened(tmp_path, provider, idempotency_max_bytes=1024) as plane:
        key, body = await plane.key(), ask(model="long")
        first, again = [await call(plane, key, body) for _ in range(2)]
        assert (first.status, again.status, again.json["error"]["code"]) == (200, 409, "answer_not_kept")
        assert "larger" in again.json["error"]["message"]
        assert (provider.answers, await costs(plane)) == (1, [TOKEN])


async def test_from_the_cache_it_costs_nothing_either(plane: Plane, provider: Numbered) -> None:
    """A hit is not charged, so it leaves the key free; what the key then brings is the cache's answer or its own."""
    key = await plane.key()
    config = {"x_portkey_config": json.dumps({"cache": {"mode": "simple"}})}
    first = await call(plane, key, once="a", **config)
    hit, again = [await call(plane, key, once="b", **config) for _ in range(2)]
    assert first.body == hit.body == again.body
    assert (hit.headers["x-portkey-cache-status"], AGAIN in again.headers) == ("HIT", False)
    assert (provider.answers, await costs(plane)) == (1, [0, 0, TOKEN])


@pytest.mark.parametrize("name", ["", "with space", "x" * 256])
async def test_a_key_that_is_none_is_refused(plane: Plane, provider: Numbered, name: str) -> None:
    """Not ignored: the caller would rely on it."""
    refused = await call(plane, await plane.key(), once=name)
    assert (refused.status, refused.json["error"]["param"]) == (400, "Idempotency-Key")
    assert provider.answers == 0


async def test_what_is_kept_cannot_be_read_in_the_database(plane: Plane) -> None:
    """Neither the key nor what the model said."""
    key = await plane.key()
    await call(plane, key, once="my-secret-key")
    await call(plane, key, once="my-secret-key")
    rows = await plane.gateway.database.read(lambda connection: connection.execute(table.select()).mappings().all())
    (row,) = [row for row in rows if row["request_id"]]
    assert row["sealed_body"]
    assert not [part for part in (b"answer 1", b"my-secret-key") if part in repr(dict(row)).encode()]


async def test_after_a_day_a_key_is_new(plane: Plane, provider: Numbered) -> None:
    """The row goes with its time."""
    key = await plane.key()
    await call(plane, key)
    await call(plane, key)
    await edit(plane.gateway, expires_at=SystemClock().now() - 1)
    assert AGAIN not in (await call(plane, key)).headers
    assert (provider.answers, KEEP_S) == (2, 86_400)


async def test_a_database_that_is_away_loses_no_answer(
    plane: Plane, provider: Numbered, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is written down as soon as that can be done; until then the call counts as under way."""
    keep, away = Idempotency.keep, True

    async def kept(self: Idempotency, *answer: Any) -> None:
        if away:
            raise Unavailable("The database is away.")
        await keep(self, *answer)

    monkeypatch.setattr(once, "TRY_AGAIN_S", 0.01)
    monkeypatch.setattr(once, "PATIENCE_S", 0.05)
    monkeypatch.setattr(Idempotency, "keep", kept)
    key = await plane.key()
    first = await call(plane, key)
    assert (await call(plane, key)).status == 409
    away = False
    monkeypatch.setattr(once, "PATIENCE_S", 10)
    again = await call(plane, key)
    assert (again.status, again.body, provider.answers) == (200, first.body, 1)


# A process that died left a claim and no answer.


async def edit(gateway: Gateway, **values: object) -> None:
    await gateway.database.write(
        lambda connection: connection.execute(table.update().where(table.c.request_id.is_not(None)).values(**values))
    )


LEFT = {"carried_out": False, "sealed_body": None, "status": None}


async def test_a_call_that_was_charged_before_a_crash_is_not_made_again(plane: Plane, provider: Numbered) -> None:
    """Its usage record is there, its answer is not: 409 that names the record."""
    key = await plane.key()
    first = await call(plane, key)
    await call(plane, key)
    await plane.records()
    await edit(plane.gateway, **LEFT)
    again = await call(plane, key)
    assert (again.status, again.json["error"]["code"]) == (409, "answer_not_kept")
    assert again.json["error"]["details"] == {"request_id": first.headers["x-headgate-request-id"]}
    assert provider.answers == 1


@pytest.mark.parametrize(("age_s", "status"), [(60, 409), (86_000, 200)])
async def test_a_call_that_was_not_charged_may_be_made_again(
    plane: Plane, provider: Numbered, age_s: int, status: int
) -> None:
    """Once nobody can be at it any more; until then it counts as under way, for another process may be at it."""
    key = await plane.key()
    await call(plane, key)
    await call(plane, key)
    created = SystemClock().now() - age_s * NANOS_PER_SECOND
    await edit(plane.gateway, **LEFT, request_id="req_never_sent", created_at=created)
    again = await call(plane, key)
    assert (again.status, "retry-after" in again.headers) == (status, status == 409)
    assert provider.answers == (1 if status == 409 else 2)
