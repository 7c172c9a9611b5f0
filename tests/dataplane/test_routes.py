"""`auto`: the routing table decides where a call goes; and a call can be explained before it is made."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from headgate.base.errors import InvalidRequest
from headgate.dataplane.endpoints import CHAT, MESSAGES
from headgate.dataplane.explain import asked_endpoint
from tests.support.asgi import Reply
from tests.support.plane import Plane, completion, open_plane
from tests.support.raw_server import Peer

PRICES = {"request_token": 0.0, "response_token": 0.01}
DEAR = {"request_token": 0.0, "response_token": 0.1}
TIERS = {
    "free": {"simple": "@openai/small", "complex": "@openai/small"},
    "pro": {"simple": "@openai/small", "complex": "@openai/large"},
}
SIMPLE, COMPLEX = "hi", "compare these two"


async def play(peer: Peer, body: dict[str, Any]) -> None:
    await peer.answer(completion("hello", 3, 2))


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[Plane]:
    async with open_plane(tmp_path, play) as opened:
        await opened.integrate("openai", {"small": PRICES, "large": DEAR})
        await opened.admin("PUT", "/admin/organisation", {"routing_table": {"tiers": TIERS}})
        yield opened


def request(text: Any, model: str | None = "auto") -> dict[str, Any]:
    body: dict[str, Any] = {"messages": [{"role": "user", "content": text}], "max_tokens": 10}
    return body if model is None else {**body, "model": model}


async def tenant(plane: Plane, **fields: object) -> None:
    body = {"tenant_id": "acme", "name": "Acme", "workspace_id": "default", **fields}
    await plane.admin("POST", "/admin/tenants", body)


async def explained(plane: Plane, key: str, body: object, path: str = "/v1/route/explain", **headers: str) -> Reply:
    before = len(plane.asked)
    reply = await plane.call(key, body, path, **headers).reply()
    assert len(plane.asked) == before, "an explanation asks no provider"
    return reply


@pytest.mark.parametrize(
    ("path", "name"),
    [("chat/completions", "auto"), ("chat/completions", None), ("messages", "@auto"), ("messages", "portkey-default")],
)
async def test_tier_and_complexity_choose_the_model(plane: Plane, path: str, name: str | None) -> None:
    """T13, in both formats: for `auto`, and where no model is named and the tenant has no default."""
    await tenant(plane, tier="pro")
    pro, nobody = await plane.key(tenant_id="acme"), await plane.key(name="other")
    for key, text, model, route in (
        (pro, SIMPLE, "small", "pro/simple"),
        (pro, [{"type": "text", "text": COMPLEX}], "large", "pro/complex"),
        (nobody, COMPLEX, "small", "free/complex"),
    ):
        reply = await plane.call(key, request(text, name), f"/v1/{path}").reply()
        assert reply.status == 200, reply.body
        assert (plane.asked[-1]["model"], reply.headers["x-headgate-route"]) == (model, route)
        assert reply.headers["x-headgate-model"] == model
    last = (await plane.records())[0]
    assert {record.model_asked for record in await plane.records()} == {
        name or "@openai/small",
        name or "@openai/large",
    }
    assert any(flag.startswith("auto:") for flag in last.usage_flags)


async def test_a_record_says_the_config_and_the_span_of_its_call(plane: Plane) -> None:
    """The stored config's slug, named by the call or by its key; a config in a header has none, and a span that is no
    visible text is none."""
    made = await plane.admin("POST", "/configs", {"name": "Careful", "config": {"retry": {"attempts": 1}}})
    slug, inline = made["data"]["slug"], json.dumps({"retry": {"attempts": 2}})
    named, own = await plane.key(), await plane.key(name="own", defaults={"config_id": slug})
    body = request(SIMPLE, "@openai/small")
    for key, headers in (
        (named, {"x_portkey_config": slug, "x_portkey_span_id": "step-1"}),
        (own, {"x_portkey_span_id": "two words"}),
        (named, {"x_portkey_config": inline}),
        (named, {}),
    ):
        assert (await plane.call(key, body, **headers).reply()).status == 200
    found = [(record.config, record.span_id, record.prompt) for record in await plane.records()]
    assert sorted(found) == [("", "", ""), ("", "", ""), (slug, "", ""), (slug, "step-1", "")]


async def test_metadata_may_say_the_tier_and_the_keys_own_word_wins(plane: Plane) -> None:
    """A backend that acts for its customers says it call by call; a key that has its tier keeps it."""
    free = await plane.key(defaults={"metadata": {"tier": "free"}})
    backend = await plane.key(name="backend")
    metadata = json.dumps({"subscription_tier": "pro", "tier": "pro"})
    for key, model in ((backend, "large"), (free, "small")):
        assert (await plane.call(key, request(COMPLEX), x_portkey_metadata=metadata).reply()).status == 200
        assert plane.asked[-1]["model"] == model


async def test_auto_never_leads_to_a_model_the_caller_may_not_use(plane: Plane) -> None:
    """412, as if it had named the model itself; and without a table 400."""
    await tenant(plane, tier="pro", allowed_models=["small"])
    key = await plane.key(tenant_id="acme")
    refused = await plane.call(key, request(COMPLEX)).reply()
    assert (refused.status, refused.json["error"]["code"]) == (412, "model_not_allowed")
    await plane.admin("PUT", "/admin/organisation", {"routing_table": None})
    refused = await plane.call(key, request(SIMPLE)).reply()
    assert (refused.status, refused.json["error"]["code"]) == (400, "no_routing_table")


async def test_a_tenants_default_comes_before_the_table(plane: Plane) -> None:
    """A missing model is the default; `auto` is the table."""
    await tenant(plane, default_model="@openai/large")
    key = await plane.key(tenant_id="acme")
    for name, model in ((None, "large"), ("auto", "small")):
        assert (await plane.call(key, request(SIMPLE, name)).reply()).status == 200
        assert plane.asked[-1]["model"] == model


async def test_an_explanation_says_where_and_why(plane: Plane) -> None:
    """And takes nothing: no request, no tokens, no money; the provider is not asked."""
    limits = [{"type": "requests", "unit": "rpm", "value": 1}]
    key = await plane.key(rate_limits=limits, defaults={"metadata": {"tier": "pro"}})
    for _ in range(3):
        told = (await explained(plane, key, request(COMPLEX))).json
    assert told["routing"] == {
        "model": "@openai/large",
        "tier": "pro",
        "customer_tier": "pro",
        "complexity": "complex",
        "why": ["system or user text says `compare`"],
    }
    [target] = told["targets"]
    assert (told["goes_to"], told["config"], target["fits"], target["lacks"]) == ("@openai/large", None, True, [])
    assert target["bound"]["output_tokens"] == 10
    assert target["bound"]["cost_usd"] == "0.010000"
    assert (await plane.call(key, request(SIMPLE)).reply()).status == 200, "the one request is still there"
    told = (await explained(plane, key, request(SIMPLE))).json
    assert told["targets"][0]["lacks"] == [{"scope": "api_key", "resource": "requests", "window": "60-second"}]
    assert told["goes_to"] is None
    assert (await plane.records())[0].model == "small"


async def test_an_explanation_shows_every_target_of_a_config(plane: Plane) -> None:
    """In the order in which they are tried, with what leads on, and which of them fits now."""
    key = await plane.key(usage_limits={"credit_limit": 0.005})
    config = {
        "strategy": {"mode": "fallback", "on_status_codes": [412, 500]},
        "targets": [{"override_params": {"model": "@openai/large"}}, {"override_params": {"model": "@openai/small"}}],
    }
    told = (await explained(plane, key, request(SIMPLE, "any"), x_portkey_config=json.dumps(config))).json
    large, small = told["targets"]
    assert (large["model"], large["fits"], large["lacks"][0]["resource"]) == ("@openai/large", False, "cost")
    assert large["on_status_codes"] == [{"codes": [412, 500], "to": "config.targets[1]"}]
    assert (small["model"], small["fits"], told["goes_to"], told["config"]) == (
        "@openai/small",
        True,
        "@openai/small",
        "",
    )


async def test_an_explanation_refuses_what_the_call_would_be_refused_for(plane: Plane) -> None:
    """A provider that is not here is 404 for both."""
    key = await plane.key()
    body = request(SIMPLE, "@gone/m")
    refused, told = await plane.call(key, body).reply(), await explained(plane, key, body)
    assert (told.status, told.json["error"]) == (refused.status, refused.json["error"])
    assert told.status == 404


def test_the_request_may_be_one_for_another_endpoint() -> None:
    """With or without `/v1`; what is no endpoint for calls is refused by name."""
    for query, path in (
        ("", CHAT.path),
        ("endpoint=/v1/messages", MESSAGES.path),
        ("endpoint=messages", MESSAGES.path),
    ):
        assert asked_endpoint(query).path == path
    for query in ("endpoint=/v1/models", "endpoint=/v1/route/explain"):
        with pytest.raises(InvalidRequest) as refused:
            asked_endpoint(query)
        assert refused.value.param == "endpoint"
