"""Integrations through the API: credentials go in and never come out, prices are exact."""

from typing import Any

import pytest

from headgate.base.usage import INPUT, OUTPUT
from headgate.tenancy.policy import Policy
from tests.support.administration import World, customer_key

SECRET = "sk-never-to-be-seen-again-0001"
HEADER_SECRET = "header-never-to-be-seen"


async def _make(world: World, **fields: Any) -> str:
    body = {"name": "OpenAI", "slug": "openai", "ai_provider_id": "openai", "key": SECRET, **fields}
    slug: str = (await world.ok("POST", "/v1/integrations", body))["slug"]
    return slug


async def _provision(world: World, slug: str = "openai", **entry: Any) -> None:
    body = {"workspaces": [{"id": "default", "enabled": True, **entry}]}
    await world.ok("PUT", f"/v1/integrations/{slug}/workspaces", body)


async def _policy(world: World) -> Policy:
    _, text = await customer_key(world, "default")
    return await world.directory.authenticate(text)


async def test_a_credential_never_comes_out(world: World) -> None:
    """Not in any answer, not in the audit log, not in the clear in the database; masked it can be recognised."""
    configurations = {"custom_host": "https://api.openai.com/v1", "custom_headers": {"X-Extra": HEADER_SECRET}}
    await _make(world, configurations=configurations)
    await _provision(world)
    shown = await world.ok("GET", "/v1/integrations/openai")
    assert shown["masked_key"] == "sk-…0001"
    assert shown["configurations"] == {
        "custom_host": "https://api.openai.com/v1",
        "custom_headers": {"x-extra": "***"},
        "capacity": None,
    }
    seen = [(await world.call("GET", path)).body for path in (
        "/v1/integrations", "/v1/integrations/openai", "/v1/integrations/openai/workspaces",
        "/v1/integrations/openai/models", "/v1/api-keys", "/v1/admin/workspaces",
    )]  # fmt: skip
    seen += [entry.body.encode() for entry in await world.audit()]
    stored = await world.transactions.read(lambda stores: stores.integrations.get(world.root.organization_id, "openai"))
    assert stored is not None
    seen += [stored.sealed_key or b"", stored.sealed_headers or b"", repr(stored).encode()]
    for secret in (SECRET, HEADER_SECRET):
        assert not any(secret.encode() in each for each in seen)
    provider = (await _policy(world)).providers["openai"]
    assert provider.secret.reveal() == SECRET
    assert provider.headers == (("x-extra", HEADER_SECRET),)
    assert SECRET not in repr(provider)


async def test_a_stored_credential_is_not_sent_to_another_host(world: World) -> None:
    """Whoever may change an integration cannot read its key by pointing it at a server of their own."""
    await _make(world)
    moved = {"configurations": {"custom_host": "http://127.0.0.1:9009/v1"}}
    reply = await world.call("PUT", "/v1/integrations/openai", moved)
    assert (reply.status, reply.json["error"]["param"]) == (400, "key")
    assert await world.ok("PUT", "/v1/integrations/openai", {**moved, "key": "sk-another-credential-0002"}) == {}
    assert (await world.ok("GET", "/v1/integrations/openai"))["masked_key"] == "sk-…0002"


@pytest.mark.parametrize(
    "host",
    [
        "ftp://api.openai.com/v1",
        "api.openai.com/v1",
        "https://user:pass@api.openai.com/v1",
        "https://api.openai.com/v1?x=1",
        "http://169.254.169.254/latest",
        "http://metadata.google.internal/v1",
        "http://[fe80::1]/v1",
        "http://2852039166/v1",
        7,
    ],
)
async def test_a_host_that_calls_never_go_to_is_refused(world: World, host: object) -> None:
    """When it is written, not only when it is used."""
    body = {"name": "n", "ai_provider_id": "openai", "key": SECRET, "configurations": {"custom_host": host}}
    reply = await world.call("POST", "/v1/integrations", body)
    assert (reply.status, reply.json["error"]["param"]) == (400, "configurations.custom_host")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"ai_provider_id": "no-such"}, "ai_provider_id"),
        ({"key": None}, "key"),
        ({"key": "two\nlines"}, "key"),
        ({"slug": "a/b"}, "slug"),
        ({"configurations": {"resource_name": "x"}}, "configurations.resource_name"),
        ({"configurations": {"custom_headers": {"Host": "evil"}}}, "configurations.custom_headers.Host"),
        ({"configurations": {"custom_headers": {"X-A": "b\r\nX-C: d"}}}, "configurations.custom_headers.X-A"),
        ({"configurations": {"custom_headers": {"X-A": "1", "x-a": "2"}}}, "configurations.custom_headers"),
    ],
)
async def test_a_bad_integration_names_the_field(world: World, fields: dict[str, Any], param: str) -> None:
    """400; configurations that would not be heeded are refused and not dropped."""
    body = {"name": "n", "ai_provider_id": "openai", "key": SECRET, **fields}
    reply = await world.call("POST", "/v1/integrations", body)
    assert (reply.status, reply.json["error"]["param"]) == (400, param)


async def test_names_and_slugs_are_taken_once(world: World) -> None:
    """409 that names the field; without a slug the next free one is made from the name."""
    await _make(world)
    for fields, param in (({"slug": "openai", "name": "B"}, "slug"), ({"slug": "b", "name": "OpenAI"}, "name")):
        reply = await world.call("POST", "/v1/integrations", {"ai_provider_id": "openai", "key": SECRET, **fields})
        assert (reply.status, reply.json["error"]["param"]) == (409, param)
    body = {"name": "openai!", "ai_provider_id": "openai", "key": SECRET}
    assert (await world.ok("POST", "/v1/integrations", body))["slug"] == "openai-2"


async def test_a_new_integration_is_in_no_workspace(world: World) -> None:
    """Until it is provisioned; and not any more once that is taken back."""
    await _make(world)
    assert (await _policy(world)).providers == {}
    await _provision(world)
    assert set((await _policy(world)).providers) == {"openai"}
    await _provision(world, enabled=False)
    assert (await _policy(world)).providers == {}


async def test_global_access_reaches_workspaces_to_come(world: World) -> None:
    """And, with the override in either spelling, those that exist."""
    await _make(world)
    access = {"enabled": True, "rate_limits": [{"type": "requests", "unit": "rpm", "value": 7}]}
    await world.ok("PUT", "/v1/integrations/openai/workspaces", {"global_workspace_access": access})
    assert (await _policy(world)).providers == {}
    await world.ok("POST", "/v1/admin/workspaces", {"name": "Later"})
    _, text = await customer_key(world, "later")
    provider = (await world.directory.authenticate(text)).providers["openai"]
    assert [each.cap for each in provider.allowances] == [7]
    for spelling in ("override_existing_workspaces_access", "override_existing_workspace_access"):
        body = {"global_workspace_access": {"enabled": True}, spelling: True}
        await world.ok("PUT", "/v1/integrations/openai/workspaces", body)
        assert set((await _policy(world)).providers) == {"openai"}


async def test_a_slug_names_one_provider_of_a_workspace(world: World) -> None:
    """A second integration under the same slug is a conflict; the default slug can be chosen."""
    await _make(world)
    await _make(world, name="Second", slug="second")
    await _provision(world)
    body = {"workspaces": [{"id": "default", "enabled": True, "default_provider_slug": "openai"}]}
    assert (await world.call("PUT", "/v1/integrations/second/workspaces", body)).status == 409
    body["workspaces"][0]["default_provider_slug"] = "spare"
    await world.ok("PUT", "/v1/integrations/second/workspaces", body)
    assert set((await _policy(world)).providers) == {"openai", "spare"}


async def test_prices_in_cents_per_token_are_kept_exactly(world: World) -> None:
    """0.00025 cents a token are 2,500,000,000 nano-dollars a million; the answer shows what was sent."""
    await _make(world)
    await _provision(world)
    pricing = {
        "type": "static",
        "pay_as_you_go": {"request_token": {"price": 0.00025}, "response_token": {"price": 0.001}},
    }
    model = {"slug": "my-model", "enabled": True, "is_custom": True, "pricing_config": pricing}
    await world.ok("PUT", "/v1/integrations/openai/models", {"allow_all_models": False, "models": [model]})
    access = (await _policy(world)).providers["openai"].models
    assert access.prices["my-model"].rates.by_meter == {INPUT: 2_500_000_000, OUTPUT: 10_000_000_000}
    assert access.allows("my-model")
    assert not access.allows("gpt-4o")
    shown = await world.ok("GET", "/v1/integrations/openai/models")
    assert shown["models"][0]["pricing_config"] == pricing
    assert {"slug": "gpt-4o", "enabled": False}.items() <= next(
        each for each in shown["models"] if each["slug"] == "gpt-4o"
    ).items()
    await world.ok("DELETE", "/v1/integrations/openai/models?slugs=my-model")
    assert (await _policy(world)).providers["openai"].models.prices == {}


@pytest.mark.parametrize(
    ("pricing", "field"),
    [
        ({}, "pay_as_you_go"),
        ({"pay_as_you_go": {"request_token": {"price": -1}}}, "pay_as_you_go.request_token.price"),
        ({"pay_as_you_go": {"request_token": {"price": True}}}, "pay_as_you_go.request_token.price"),
        ({"pay_as_you_go": {"no_such_token": {"price": 1}}}, "pay_as_you_go.no_such_token"),
    ],
)
async def test_a_price_that_is_none_is_refused(world: World, pricing: dict[str, Any], field: str) -> None:
    """What cannot be billed by is not stored."""
    await _make(world)
    model = {"slug": "m", "enabled": True, "pricing_config": pricing}
    reply = await world.call("PUT", "/v1/integrations/openai/models", {"models": [model]})
    assert (reply.status, reply.json["error"]["param"]) == (400, f"models[0].pricing_config.{field}")


async def test_a_deleted_integration_is_gone_from_policies(world: World) -> None:
    """With its provider slug, which another can take; not while a workspace still has it."""
    await _make(world)
    await _provision(world)
    refused = await world.call("DELETE", "/v1/integrations/openai")
    assert (refused.status, "`default`" in refused.json["message"]) == (409, True)
    await _provision(world, enabled=False)
    await world.ok("DELETE", "/v1/integrations/openai")
    assert (await world.call("GET", "/v1/integrations/openai")).status == 404
    assert (await _policy(world)).providers == {}
    await _make(world)
    await _provision(world)
    assert set((await _policy(world)).providers) == {"openai"}
