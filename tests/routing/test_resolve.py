"""Which provider and model a name means."""

import pytest

from headgate.base.errors import InvalidRequest, ModelNotAllowed, NotFound
from headgate.catalog.catalog import Catalog
from headgate.routing.plan import Target
from headgate.routing.resolve import allowed_models, resolve
from headgate.tenancy.policy import ModelAccess, Policy
from tests.support.policies import policy, provider

CATALOG = Catalog.load()
NOW = 1_790_000_000_000_000_000


def target(of: Policy, asked: str | None, hint: str | None = None, client: str = "openai_chat") -> Target:
    return resolve(of, CATALOG, asked, hint, client, NOW).first


def only(*models: str) -> ModelAccess:
    return ModelAccess(allow_all=False, enabled=frozenset(models))


TWO = policy(
    provider("anthropic-prod", "anthropic", only("claude-sonnet-4-5")),
    provider("openai-prod", "openai", only("gpt-4o", "org/own-model")),
)


@pytest.mark.parametrize(
    ("asked", "hint", "slug", "model"),
    [
        ("@openai-prod/gpt-4o", None, "openai-prod", "gpt-4o"),
        ("@openai-prod/org/own-model", None, "openai-prod", "org/own-model"),
        ("gpt-4o", "openai-prod", "openai-prod", "gpt-4o"),
        ("@openai-prod/gpt-4o", "openai-prod", "openai-prod", "gpt-4o"),
        ("gpt-4o", None, "openai-prod", "gpt-4o"),
        ("claude-sonnet-4-5", None, "anthropic-prod", "claude-sonnet-4-5"),
    ],
)
def test_every_way_to_name_a_model_finds_it(asked: str, hint: str | None, slug: str, model: str) -> None:
    """`@provider/model`, a plain model with a provider named beside it, and a plain model alone."""
    found = target(TWO, asked, hint)
    assert (found.provider.slug, found.model) == (slug, model)


@pytest.mark.parametrize("asked", [None, "", "@openai-prod", "@/gpt-4o", "@openai-prod/"])
def test_a_name_that_is_none_is_refused_with_the_field(asked: str | None) -> None:
    """400 naming `model`."""
    with pytest.raises(InvalidRequest) as refused:
        target(TWO, asked)
    assert refused.value.param == "model"


@pytest.mark.parametrize("model", ["a\nb", "a\r\nX: y", "a\x00", "a\x7f"])
def test_a_name_that_no_header_can_tell_is_refused(model: str) -> None:
    """The answer names the model in a header, also where a provider takes whatever it is asked for."""
    with pytest.raises(InvalidRequest) as refused:
        target(policy(provider("openai-prod", "openai", ModelAccess(allow_all=True))), f"@openai-prod/{model}")
    assert refused.value.param == "model"


def test_two_different_providers_in_one_call_are_refused() -> None:
    """Nobody can say which of them was meant."""
    with pytest.raises(InvalidRequest):
        target(TWO, "@openai-prod/gpt-4o", "anthropic-prod")


def test_an_unknown_provider_is_not_found_and_the_known_ones_are_told() -> None:
    """404 with the slugs of this workspace, never of another."""
    with pytest.raises(NotFound) as refused:
        target(TWO, "@other/gpt-4o")
    assert "`@anthropic-prod`, `@openai-prod`" in refused.value.message


@pytest.mark.parametrize("asked", ["@openai-prod/gpt-4o-mini", "gpt-4o-mini", "no-such-model"])
def test_a_model_that_is_not_allowed_is_refused_with_what_is(asked: str) -> None:
    """412 `model_not_allowed` with the allowed models (T4)."""
    with pytest.raises(ModelNotAllowed) as refused:
        target(TWO, asked)
    assert refused.value.details["allowed"] == [
        "@anthropic-prod/claude-sonnet-4-5",
        "@openai-prod/gpt-4o",
        "@openai-prod/org/own-model",
    ]


def test_a_model_nobody_lists_goes_to_the_only_provider_that_takes_any() -> None:
    """A new model of the provider works before the catalog knows it; it has no price."""
    found = target(policy(provider("local", "vllm")), "brand-new")
    assert (found.provider.slug, found.price) == ("local", None)


def test_a_disabled_model_is_refused_even_where_all_are_allowed() -> None:
    """`enabled: false` takes a model away from `allow_all_models`."""
    access = ModelAccess(allow_all=True, disabled=frozenset({"gpt-4o"}))
    with pytest.raises(ModelNotAllowed):
        target(policy(provider("openai-prod", models=access)), "@openai-prod/gpt-4o")


@pytest.mark.parametrize(
    ("kind", "client", "spoken"),
    [
        ("openai", "openai_chat", "openai_chat"),
        ("anthropic", "openai_chat", "anthropic_messages"),
        ("gemini", "openai_chat", "gemini"),
        ("anthropic", "anthropic_messages", "anthropic_messages"),
        ("gemini", "anthropic_messages", "gemini"),
        ("groq", "anthropic_messages", "openai_chat"),
    ],
)
def test_the_clients_own_format_is_preferred_and_chat_is_translated(kind: str, client: str, spoken: str) -> None:
    """The same format where the provider speaks it, else one that translates."""
    assert target(policy(provider("p", kind)), "@p/some-model", client=client).format == spoken


def test_an_endpoint_the_provider_lacks_is_refused() -> None:
    """Anthropic has no embeddings: 400 naming the model."""
    with pytest.raises(InvalidRequest) as refused:
        target(policy(provider("p", "anthropic")), "@p/some-model", client="openai_embeddings")
    assert refused.value.param == "model"


def test_what_is_listed_is_what_resolves() -> None:
    """Every model of `allowed_models` can be asked for by its `@provider/model` name."""
    for found, model in allowed_models(TWO, CATALOG, NOW):
        assert target(TWO, f"@{found.slug}/{model}").model == model
