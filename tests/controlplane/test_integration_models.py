"""What an administrator says of models: whose price they have, by what it is multiplied, and where they live."""

from typing import Any

import pytest

from headgate.base.usage import INPUT, OUTPUT
from headgate.routing.plan import Target
from headgate.routing.resolve import resolve
from tests.support.administration import CATALOG, World, customer_key

SECRET, HEADER = "sk-never-to-be-seen-again-0001", "bearer-of-the-model"
HOST = "https://models.example.com/v1"


async def _integrate(world: World, **fields: Any) -> None:
    body = {"name": "OpenAI", "slug": "openai", "ai_provider_id": "openai", "key": SECRET, **fields}
    await world.ok("POST", "/v1/integrations", body)
    access = {"workspaces": [{"id": "default", "enabled": True}]}
    await world.ok("PUT", "/v1/integrations/openai/workspaces", access)


async def _models(world: World, *models: dict[str, Any]) -> None:
    entries = [{"enabled": True, **each} for each in models]
    await world.ok("PUT", "/v1/integrations/openai/models", {"models": entries})


async def _target(world: World, model: str) -> Target:
    _, text = await customer_key(world, "default")
    policy = await world.directory.authenticate(text)
    return resolve(policy, CATALOG, f"@openai/{model}", None, "openai_chat", world.clock.now()).first


async def test_a_fine_tuned_model_costs_what_its_base_costs(world: World) -> None:
    """And has its limits; a price of its own wins."""
    await _integrate(world)
    own = {"pay_as_you_go": {"request_token": {"price": 0.001}, "response_token": {"price": 0.002}}}
    await _models(
        world,
        {"slug": "support-bot", "is_finetune": True, "base_model_slug": "gpt-4o-mini"},
        {"slug": "dear-bot", "is_finetune": True, "base_model_slug": "gpt-4o-mini", "pricing_config": own},
    )
    base = CATALOG.price("openai", "gpt-4o-mini", world.clock.now())
    tuned = await _target(world, "support-bot")
    assert (tuned.model, tuned.price, tuned.facts) == ("support-bot", base, CATALOG.model("openai", "gpt-4o-mini"))
    dear = await _target(world, "dear-bot")
    assert dear.price is not None
    assert dear.price.rates.by_meter == {INPUT: 10_000_000_000, OUTPUT: 20_000_000_000}
    shown = {each["slug"]: each for each in (await world.ok("GET", "/v1/integrations/openai/models"))["models"]}
    assert {"is_finetune": True, "base_model_slug": "gpt-4o-mini", "is_custom": False}.items() <= (
        shown["support-bot"].items()
    )


async def test_a_base_that_nobody_knows_is_refused(world: World) -> None:
    """It would have no price. A base that the administrator priced will do."""
    await _integrate(world)
    entry = {"slug": "bot", "enabled": True, "is_finetune": True, "base_model_slug": "no-such-model"}
    reply = await world.call("PUT", "/v1/integrations/openai/models", {"models": [entry]})
    assert (reply.status, reply.json["error"]["param"]) == (400, "models[0].base_model_slug")
    price = {"pay_as_you_go": {"request_token": {"price": 1}, "cache_read_input_token": {"price": 0.5}}}
    base = {"slug": "no-such-model", "is_custom": True, "pricing_config": price}
    await _models(world, base, {"slug": "bot", "base_model_slug": "no-such-model"})
    assert (await _target(world, "bot")).price is not None


async def test_every_price_of_an_integration_is_multiplied(world: World) -> None:
    """The catalog's and the administrator's own, by meter or by default; null takes it back."""
    await _integrate(world, pricing_adjustments={"multiplier": {"default": 1.2, "response_token": 0.5}})
    price = {"pay_as_you_go": {"request_token": {"price": 1}, "response_token": {"price": 1}}}
    await _models(world, {"slug": "own", "is_custom": True, "pricing_config": price})
    listed = CATALOG.price("openai", "gpt-4o", world.clock.now())
    assert listed is not None
    charged, own = (await _target(world, "gpt-4o")).price, (await _target(world, "own")).price
    assert charged is not None
    assert own is not None
    assert charged.rates.rate(INPUT) == listed.rates.by_meter[INPUT] * 6 // 5
    assert charged.rates.rate(OUTPUT) == listed.rates.by_meter[OUTPUT] // 2
    assert own.rates.by_meter == {INPUT: 12_000_000_000_000, OUTPUT: 5_000_000_000_000}
    shown = await world.ok("GET", "/v1/integrations/openai")
    assert shown["pricing_adjustments"] == {"multiplier": {"default": 1.2, "response_token": 0.5}}
    await world.ok("PUT", "/v1/integrations/openai", {"pricing_adjustments": None})
    assert (await _target(world, "gpt-4o")).price is listed


@pytest.mark.parametrize(
    ("adjustments", "param"),
    [
        ({}, "pricing_adjustments.multiplier"),
        ({"multiplier": {"default": -1}}, "pricing_adjustments.multiplier.default"),
        ({"multiplier": {"default": 0.0000001}}, "pricing_adjustments.multiplier.default"),
        ({"multiplier": {"default": 1_001}}, "pricing_adjustments.multiplier.default"),
        ({"multiplier": {"default": "NaN"}}, "pricing_adjustments.multiplier.default"),
        ({"multiplier": {"smell_token": 1}}, "pricing_adjustments.multiplier.smell_token"),
    ],
)
async def test_a_factor_that_is_none_is_refused(world: World, adjustments: dict[str, Any], param: str) -> None:
    """By the field's name."""
    body = {"name": "n", "ai_provider_id": "openai", "key": SECRET, "pricing_adjustments": adjustments}
    reply = await world.call("POST", "/v1/integrations", body)
    assert (reply.status, reply.json["error"]["param"]) == (400, param)


async def test_secret_mappings_are_refused_with_the_way_out(world: World) -> None:
    """Silently ignored they would leave the integration without its credential."""
    body = {"name": "n", "ai_provider_id": "openai", "key": SECRET, "secret_mappings": [{"target_field": "key"}]}
    reply = await world.call("POST", "/v1/integrations", body)
    assert (reply.status, reply.json["error"]["param"]) == (400, "secret_mappings")
    assert "`key`" in reply.json["message"]


async def test_a_model_at_an_address_of_its_own_does_not_get_the_credential(world: World) -> None:
    """Only its own headers, which come out masked; the other models stay where they are. Limits stay the same."""
    await _integrate(world)
    configurations = {"custom_host": HOST, "custom_headers": {"Authorization": f"Bearer {HEADER}"}}
    await _models(world, {"slug": "mine", "is_custom": True, "configurations": configurations})
    mine, other = await _target(world, "mine"), await _target(world, "gpt-4o")
    assert (mine.provider.base_url, mine.provider.secret.reveal()) == (HOST, "")
    assert mine.provider.headers == (("authorization", f"Bearer {HEADER}"),)
    assert (mine.provider.slug, mine.provider.allowances) == (other.provider.slug, other.provider.allowances)
    assert (other.provider.base_url, other.provider.secret.reveal()) == ("https://api.openai.com/v1", SECRET)
    shown = await world.call("GET", "/v1/integrations/openai/models")
    masked = {"custom_host": HOST, "custom_headers": {"authorization": "***"}}
    assert next(each for each in shown.json["models"] if each["slug"] == "mine")["configurations"] == masked
    stored = b"".join(entry.body.encode() for entry in await world.audit())
    assert HEADER.encode() not in shown.body + stored


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ({"configurations": {"custom_host": HOST}}, "configurations"),
        ({"is_custom": True, "configurations": {"custom_headers": {"X-A": "b"}}}, "configurations.custom_host"),
        (
            {"is_custom": True, "configurations": {"custom_host": "http://169.254.169.254/v1"}},
            "configurations.custom_host",
        ),
        ({"is_custom": True, "configurations": {"resource_name": "x"}}, "configurations.resource_name"),
        (
            {"is_custom": True, "configurations": {"custom_host": HOST, "custom_headers": {"Host": "evil"}}},
            "configurations.custom_headers.Host",
        ),
    ],
)
async def test_an_address_that_calls_never_go_to_is_refused(world: World, entry: dict[str, Any], field: str) -> None:
    """When it is written, by the field's name."""
    await _integrate(world)
    body = {"models": [{"slug": "m", "enabled": True, **entry}]}
    reply = await world.call("PUT", "/v1/integrations/openai/models", body)
    assert (reply.status, reply.json["error"]["param"]) == (400, f"models[0].{field}")


async def test_a_model_taken_away_is_away_in_every_spelling(world: World) -> None:
    """In other letters or with a prefix that means nothing it is the same model."""
    body = {"name": "Gemini", "slug": "gemini", "ai_provider_id": "gemini", "key": SECRET}
    await world.ok("POST", "/v1/integrations", body)
    taken = {"models": [{"slug": "gemini-2.5-pro", "enabled": False}]}
    await world.ok("PUT", "/v1/integrations/gemini/models", taken)
    access = {"workspaces": [{"id": "default", "enabled": True}]}
    await world.ok("PUT", "/v1/integrations/gemini/workspaces", access)
    _, text = await customer_key(world, "default")
    models = (await world.directory.authenticate(text)).providers["gemini"].models
    for name in ("gemini-2.5-pro", "Gemini-2.5-PRO", "models/gemini-2.5-pro", "models/Gemini-2.5-Pro"):
        assert not models.allows(name)
    assert models.allows("gemini-2.5-flash")


async def test_list_prices_can_be_read(world: World) -> None:
    """In US cents per token, as the catalog has them; a model it does not know is not free but absent."""
    found = await world.ok("GET", "/v1/model-configs/pricing/openai/gpt-4o")
    listed = CATALOG.price("openai", "gpt-4o", world.clock.now())
    assert listed is not None
    assert found["pay_as_you_go"]["request_token"]["price"] == listed.rates.by_meter[INPUT] / 10**13
    assert (found["currency"], found["id"], found["provider"]) == ("USD", listed.id, "openai")
    _, text = await customer_key(world, "default")
    assert (await world.ok("GET", "/v1/model-configs/pricing/openai/gpt-4o", key=text)) == found
    reply = await world.call("GET", "/v1/model-configs/pricing/openai/no/such-model")
    assert reply.status == 404
