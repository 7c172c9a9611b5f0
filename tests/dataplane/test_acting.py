"""A backend with one key, and its customers: the tenant that a call names is the one whose policy applies, in full."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.asgi import Reply
from tests.support.plane import Plane, completion, open_plane
from tests.support.raw_server import Peer

PRICES = {"request_token": 0.0, "response_token": 0.01}
SERVICE = {"scopes": ["completions.write", "tenants.act_as"]}


def chat(model: str | None = "@openai/m", **more: object) -> dict[str, Any]:
    named = {} if model is None else {"model": model}
    return {**named, "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}], **more}


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[Plane]:
    """Two tenants in the default workspace, one elsewhere."""

    async def play(peer: Peer, body: dict[str, Any]) -> None:
        await peer.answer(completion("x", 3, 100))

    async with open_plane(tmp_path, play) as opened:
        await opened.integrate("openai", {"m": PRICES, "n": PRICES})
        await opened.admin("POST", "/admin/workspaces", {"name": "Elsewhere", "slug": "elsewhere"})
        for name, workspace in (("acme", "default"), ("other", "default"), ("foreign", "elsewhere")):
            await opened.admin("POST", "/admin/tenants", {"tenant_id": name, "workspace_id": workspace})
        yield opened


async def ask(plane: Plane, key: str, body: dict[str, Any] | None = None, **headers: str) -> Reply:
    return await plane.call(key, chat() if body is None else body, **headers).reply()


@pytest.mark.parametrize("way", ["header", "body", "metadata header", "id"])
async def test_its_use_is_the_tenant_s(plane: Plane, way: str) -> None:
    """By header, by metadata, by slug or by id: budget and record are those of the tenant, beside the key's own."""
    await plane.admin("PUT", "/admin/tenants/acme", {"monthly_budget_usd": 5, "metadata": {"plan": "gold"}})
    tenant_id = (await plane.admin("GET", "/admin/tenants/acme"))["id"]
    key = await plane.key(**SERVICE, usage_limits={"credit_limit": 9})
    metadata = {"tenant_id": "acme"}
    match way:
        case "header":
            reply = await ask(plane, key, x_headgate_tenant="acme")
        case "id":
            reply = await ask(plane, key, x_headgate_tenant=tenant_id)
        case "body":
            reply = await ask(plane, key, chat(metadata=metadata))
        case _:
            reply = await ask(plane, key, x_portkey_metadata=json.dumps(metadata))
    assert reply.status == 200, reply.body
    assert reply.headers["x-headgate-budget-remaining-usd"] == "4.990000"
    [record] = await plane.records()
    assert (record.tenant_id, record.metadata["plan"]) == (tenant_id, "gold")
    acme = await plane.admin("GET", "/admin/tenants/acme")
    assert (acme["current_spend_usd"], acme["remaining_budget_usd"]) == (0.01, 4.99)
    shown = await plane.call(key, None, "/v1/limits", x_headgate_tenant="acme").reply()
    used = {(each["scope"], each["used_usd"]) for each in shown.json["data"]}
    assert used == {("tenant", "0.010000000"), ("api_key", "0.010000000")}
    assert {each["scope"] for each in await plane.limits(key)} == {"api_key"}


async def test_the_name_in_the_body_is_for_the_gateway(plane: Plane) -> None:
    """It does not go to the provider, which may refuse what it does not know; other labels do. In Anthropic's format it
    works as well, and the record has it."""
    key = await plane.key(**SERVICE)
    labels = {"tenant_id": "acme", "label": "x"}
    for body in (chat(metadata={"tenant_id": "acme"}), chat(metadata=labels)):
        assert (await ask(plane, key, body)).status == 200
    assert [each.get("metadata") for each in plane.asked] == [None, {"label": "x"}]
    reply = await plane.call(key, chat(metadata={"tenant_id": "acme"}), "/v1/messages").reply()
    assert (reply.status, reply.json.get("type")) == (200, "message")
    records = await plane.records()
    assert {record.metadata["tenant_id"] for record in records} == {"acme"}
    assert len({record.tenant_id for record in records} - {None}) == 1


async def test_without_the_scope_it_changes_nothing(plane: Plane) -> None:
    """The metadata is mere metadata; the header says nothing. A tenant's own key cannot act for another either."""
    await plane.admin("PUT", "/admin/tenants/other", {"max_requests_per_minute": 0})
    plain = await plane.key()
    own = await plane.key(tenant_id="acme")
    for key in (plain, own):
        body = chat(metadata={"tenant_id": "other"})
        assert (await ask(plane, key, body, x_headgate_tenant="other")).status == 200
    shown = await plane.admin("GET", "/admin/tenants/acme")
    acme = shown["id"]
    assert (shown["current_spend_usd"], shown["remaining_budget_usd"]) == (0.01, None)
    records = await plane.records()
    assert sorted(str(record.tenant_id) for record in records) == sorted(["None", acme])
    assert all(record.metadata == {"tenant_id": "other"} for record in records)


async def test_a_tenant_s_key_is_never_given_the_scope(plane: Plane) -> None:
    """It would reach other tenants."""
    with pytest.raises(AssertionError, match=r"tenants\.act_as"):
        await plane.key(tenant_id="acme", **SERVICE)


async def test_absent_and_foreign_tenants_answer_alike(plane: Plane) -> None:
    """404 with the same words, before anything is sent; the two names must agree."""
    key = await plane.key(**SERVICE)
    told = []
    for name in ("nobody", "foreign"):
        reply = await ask(plane, key, x_headgate_tenant=name)
        assert (reply.status, reply.json["error"]["code"]) == (404, "tenant_not_found")
        told.append(reply.json["error"]["message"].replace(name, "X"))
    assert told[0] == told[1]
    differ = await ask(plane, key, chat(metadata={"tenant_id": "other"}), x_headgate_tenant="acme")
    assert (differ.status, differ.json["error"]["param"]) == (400, "tenant_id")
    assert not plane.asked


@pytest.mark.parametrize("way", ["header", "body", "metadata header"])
async def test_an_empty_name_is_nobody_s(plane: Plane, way: str) -> None:
    """A backend that does not know its customer is told so: its call does not go by the backend's own, wider policy."""
    key = await plane.key(**SERVICE)
    match way:
        case "header":
            reply = await ask(plane, key, x_headgate_tenant="")
        case "body":
            reply = await ask(plane, key, chat(metadata={"tenant_id": ""}))
        case _:
            reply = await ask(plane, key, x_portkey_metadata='{"tenant_id": ""}')
    assert (reply.status, reply.json["error"]["code"]) == (404, "tenant_not_found")
    assert not plane.asked


async def test_other_metadata_does_not_crowd_the_name_out(plane: Plane) -> None:
    """A customer whose metadata the backend passes on cannot bring so much of it that nobody is named any more."""
    key = await plane.key(**SERVICE)
    much = {f"k{number}": "v" for number in range(100)}
    for reply in (
        await ask(plane, key, x_portkey_metadata=json.dumps({**much, "tenant_id": "acme"})),
        await ask(plane, key, chat(metadata=much), x_portkey_metadata='{"tenant_id": "acme"}'),
    ):
        assert (reply.status, reply.headers.get("x-headgate-tenant")) == (200, "acme")


async def test_a_suspended_tenant_s_calls_are_refused(plane: Plane) -> None:
    """Its own keys' and those made for it, lists too; from the next call on, and not after it is active again."""
    own, service = await plane.key(tenant_id="acme"), await plane.key(**SERVICE)

    async def codes() -> set[str | None]:
        replies = [
            await ask(plane, own),
            await ask(plane, service, x_headgate_tenant="acme"),
            await plane.call(own, None, "/v1/models").reply(),
            await plane.call(service, None, "/v1/limits", x_headgate_tenant="acme").reply(),
            await plane.call(own, chat(), "/v1/messages").reply(),
        ]
        return {f"{each.status} {each.json.get('error', {}).get('code')}" for each in replies}

    assert await codes() == {"200 None"}
    await plane.admin("PUT", "/admin/tenants/acme", {"status": "suspended"})
    assert await codes() == {"403 tenant_suspended"}
    assert (await ask(plane, service)).status == 200
    await plane.admin("PUT", "/admin/tenants/acme", {"status": "active"})
    assert await codes() == {"200 None"}


async def test_its_models_and_its_default(plane: Plane) -> None:
    """A call without a model goes to the tenant's default; one to another model is refused and told what is allowed;
    the list of models shows the same."""
    models = {"allowed_models": ["@openai/m", "gpt-4o"], "default_model": "@openai/m"}
    await plane.admin("PUT", "/admin/tenants/acme", models)
    key = await plane.key(**SERVICE)
    for name in (None, "portkey-default"):
        reply = await ask(plane, key, chat(name), x_headgate_tenant="acme")
        assert (reply.status, reply.headers["x-headgate-model"]) == (200, "m")
        assert plane.asked[-1]["model"] == "m"
    refused = await ask(plane, key, chat("@openai/n"), x_headgate_tenant="acme")
    assert (refused.status, refused.json["error"]["code"]) == (412, "model_not_allowed")
    assert refused.json["error"]["details"]["allowed"] == ["@openai/gpt-4o", "@openai/m"]
    assert (await ask(plane, key, chat("@openai/n"))).status == 200
    listed = await plane.call(key, None, "/v1/models", x_headgate_tenant="acme").reply()
    assert [each["id"] for each in listed.json["data"]] == ["@openai/gpt-4o", "@openai/m"]
    nameless = await ask(plane, key, chat(None))
    assert (nameless.status, nameless.json["error"]["param"]) == (400, "model")


async def test_what_changes_counts_at_once(plane: Plane) -> None:
    """A tenant that was just made can be acted for, though it was asked for before; a limit counts with the next call,
    and a tenant that is gone is unknown."""
    key = await plane.key(**SERVICE)
    assert (await ask(plane, key, x_headgate_tenant="new")).status == 404
    await plane.admin("POST", "/admin/tenants", {"tenant_id": "new", "workspace_id": "default"})
    assert (await ask(plane, key, x_headgate_tenant="new")).status == 200
    await plane.admin("PUT", "/admin/tenants/new", {"max_requests_per_minute": 1})
    assert (await ask(plane, key, x_headgate_tenant="new")).status == 429
    assert (await ask(plane, key, x_headgate_tenant="acme")).status == 200
    await plane.admin("DELETE", "/admin/tenants/new")
    assert (await ask(plane, key, x_headgate_tenant="new")).status == 404


async def test_tenants_do_not_degrade_one_another(plane: Plane) -> None:
    """Many calls at once for two tenants: the one at its limit is refused, with when to try again, and none of the
    other's calls is."""
    await plane.admin("PUT", "/admin/tenants/acme", {"max_requests_per_minute": 3})
    key = await plane.key(**SERVICE)
    names = ["acme"] * 20 + ["other"] * 20
    replies = await asyncio.gather(*(ask(plane, key, x_headgate_tenant=name) for name in names))
    statuses = [reply.status for reply in replies]
    assert sorted(statuses[:20]) == [200] * 3 + [429] * 17
    assert statuses[20:] == [200] * 20
    refused = next(reply for reply in replies if reply.status == 429)
    assert 0 < int(refused.headers["retry-after"]) <= 61
