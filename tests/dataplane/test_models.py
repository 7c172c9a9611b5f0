"""`GET /v1/models`: exactly what a call with this key may name, as each SDK asks for it and reads it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.asgi import Reply, request
from tests.support.plane import Plane, completion, open_plane
from tests.support.raw_server import Peer

PRICES = {"request_token": 0.001, "response_token": 0.002}
ANTHROPIC = {"anthropic_version": "2023-06-01"}


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[Plane]:
    """Two providers, each with three models of its own and nothing else; `free` has no price."""

    async def play(peer: Peer, body: dict[str, Any]) -> None:
        await peer.answer(completion("x", 3, 40))

    async with open_plane(tmp_path, play) as opened:
        for kind in ("openai", "anthropic"):
            await opened.integrate(kind, {"m1": PRICES, "m2": PRICES, "unpriced": None})
            await opened.admin("PUT", f"/integrations/{kind}/models", {"allow_all_models": False})
        yield opened


async def get(plane: Plane, key: str, path: str = "/v1/models", method: str = "GET", **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await request(plane.gateway.app, method, path, None, {"authorization": f"Bearer {key}", **named})


async def ids(plane: Plane, key: str, path: str = "/v1/models", **headers: str) -> list[str]:
    reply = await get(plane, key, path, **headers)
    assert reply.status == 200, reply.body
    return [each["id"] for each in reply.json["data"]]


async def test_the_contract_s_fields_are_there(plane: Plane) -> None:
    """`@slug/model`, its parts, and what an SDK's types demand."""
    reply = await get(plane, await plane.key())
    assert (reply.json["object"], reply.json["total"], len(reply.json["data"])) == ("list", 6, 6)
    first = reply.json["data"][0]
    shown = {"id": "@anthropic/m1", "slug": "m1", "canonical_slug": "m1", "object": "model", "owned_by": "anthropic"}
    assert shown.items() <= first.items()
    assert type(first["created"]) is int


QUERIES = {
    "limit=2": ["@anthropic/m1", "@anthropic/m2"],
    "limit=2&offset=5": ["@openai/unpriced"],
    "limit=0": [],
    "provider=openai": ["@openai/m1", "@openai/m2", "@openai/unpriced"],
    "provider=@openai&limit=1": ["@openai/m1"],
    "ai_service=anthropic&order=desc": ["@anthropic/unpriced", "@anthropic/m2", "@anthropic/m1"],
    "ai_service=groq": [],
    "sort=name&limit=2": ["@anthropic/m1", "@openai/m1"],
    "sort=provider&order=desc&limit=1": ["@openai/unpriced"],
}


async def test_a_query_narrows_sorts_and_pages(plane: Plane) -> None:
    """By provider and kind; what is none is refused by the parameter's name."""
    key = await plane.key()
    for query, expected in QUERIES.items():
        assert await ids(plane, key, f"/v1/models?{query}") == expected, query
    assert (await get(plane, key, "/v1/models?provider=openai&limit=1")).json["total"] == 3
    for query in ("limit=x", "offset=-1", "sort=colour", "order=up"):
        reply = await get(plane, key, f"/v1/models?{query}")
        assert (reply.status, reply.json["error"]["param"]) == (400, query.partition("=")[0])


async def test_a_provider_in_the_header_narrows(plane: Plane) -> None:
    """As it does for a call; one that is not there is refused as a call would be."""
    key = await plane.key()
    named = await ids(plane, key, x_portkey_provider="@openai", x_portkey_fetch_integrated_models="true")
    assert named == ["@openai/m1", "@openai/m2", "@openai/unpriced"]
    assert (await get(plane, key, x_portkey_provider="@other")).status == 404


async def test_anthropic_s_shape_and_pages(plane: Plane) -> None:
    """For whom says so; forwards with `after_id`, backwards with `before_id`."""
    key = await plane.key()
    whole = await get(plane, key, **ANTHROPIC)
    every = [each["id"] for each in whole.json["data"]]
    assert set(whole.json) == {"data", "has_more", "first_id", "last_id"}
    assert set(whole.json["data"][0]) == {"type", "id", "display_name", "created_at"}
    assert (whole.json["has_more"], whole.json["first_id"], whole.json["last_id"]) == (False, every[0], every[-1])
    page = await get(plane, key, f"/v1/models?limit=2&after_id={every[1]}", **ANTHROPIC)
    assert [each["id"] for each in page.json["data"]] == every[2:4]
    assert page.json["has_more"] is True
    back = await get(plane, key, f"/v1/models?limit=2&before_id={every[1]}", **ANTHROPIC)
    assert ([each["id"] for each in back.json["data"]], back.json["has_more"]) == (every[:1], False)
    assert (await get(plane, key, "/v1/models?after_id=none", **ANTHROPIC)).status == 400


async def test_one_model_by_its_id(plane: Plane) -> None:
    """With its slash and at-sign, or by its plain name; in Anthropic's shape too; what is not listed is not there."""
    key = await plane.key()
    assert (await get(plane, key, "/v1/models/@openai/m1")).json["id"] == "@openai/m1"
    assert (await get(plane, key, "/v1/models/m2")).json["slug"] == "m2"
    assert (await get(plane, key, "/v1/models/@openai/m1", **ANTHROPIC)).json["type"] == "model"
    assert (await get(plane, key, "/v1/models/@openai/gpt-4o")).status == 404


async def test_models_are_not_deleted_here(plane: Plane) -> None:
    """405, and where it is done."""
    reply = await get(plane, await plane.key(), "/v1/models/@openai/m1", "DELETE")
    assert reply.status == 405
    assert "/v1/integrations/{slug}/models" in reply.json["error"]["message"]


async def test_what_a_budget_would_refuse_is_not_listed(plane: Plane) -> None:
    """A model without a price makes no call where a cost budget applies: the key's, the provider's or a policy's."""
    assert "@openai/unpriced" in await ids(plane, await plane.key())
    budget = {"credit_limit": 5}
    key = await plane.key(usage_limits=budget)
    assert [each for each in await ids(plane, key) if each.endswith("unpriced")] == []
    body = {"model": "@openai/unpriced", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
    assert (await plane.call(key, body).reply()).status == 412
    access = {"workspaces": [{"id": "default", "enabled": True, "usage_limits": budget}]}
    await plane.admin("PUT", "/integrations/openai/workspaces", access)
    unpriced = [each for each in await ids(plane, await plane.key()) if each.endswith("unpriced")]
    assert unpriced == ["@anthropic/unpriced"]
    conditions = [{"key": "provider", "value": "anthropic"}]
    policy = {
        "name": "p",
        "type": "cost",
        "credit_limit": 5,
        "group_by": [{"key": "api_key"}],
        "conditions": conditions,
    }
    await plane.admin("POST", "/policies/usage-limits", policy)
    assert [each for each in await ids(plane, await plane.key()) if each.endswith("unpriced")] == []
    await plane.admin("PUT", "/admin/organisation", {"admission": {"unpriced": "allow"}})
    assert "@openai/unpriced" in await ids(plane, await plane.key(usage_limits=budget))


async def test_every_listed_model_works(plane: Plane) -> None:
    """A call that names it gets its answer."""
    key = await plane.key(usage_limits={"credit_limit": 5}, allowed_models=["@openai/*"])
    listed = await ids(plane, key)
    assert listed == ["@openai/m1", "@openai/m2"]
    for model in listed:
        body = {"model": model, "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
        assert (await plane.call(key, body).reply()).status == 200
    body["model"] = "@anthropic/m1"
    assert (await plane.call(key, body).reply()).status == 412
