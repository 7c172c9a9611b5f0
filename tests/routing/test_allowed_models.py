"""What is listed is what resolves: for any provisioning, allow-lists, tenants and keys."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.base.errors import HeadgateError
from headgate.catalog.catalog import Catalog
from headgate.routing.resolve import allowed_models, resolve
from headgate.tenancy.integration import Integration, IntegrationModel
from headgate.tenancy.model_names import ModelNames
from headgate.tenancy.policy import Policy, Provider
from headgate.tenancy.provider_policy import model_access
from headgate.tenancy.tenant_policy import TenantPolicy
from tests.support.policies import policy, provider

CATALOG = Catalog.load()
NOW = 1_790_000_000_000_000_000
KINDS = ("openai", "anthropic", "gemini", "groq", "no-such-kind")
SLUGS = ("a", "b", "c")
MODELS = ("gpt-4o", "GPT-4o", "o3", "claude-sonnet-4-5", "gemini-2.5-pro", "models/gemini-2.5-pro", "own", "org/own")
FORMATS = ("openai_chat", "openai_completions", "openai_embeddings", "openai_responses", "anthropic_messages")
NAMES = (*MODELS, *(f"@{slug}/{model}" for slug in SLUGS for model in MODELS), "@a/*", "gpt*", "@b/claude*", "*o")


@st.composite
def models(draw: st.DrawFn) -> list[IntegrationModel]:
    """What an administrator may say of some models."""
    slugs = draw(st.lists(st.sampled_from(MODELS), unique=True, max_size=4))
    return [
        IntegrationModel(
            integration_id="int",
            slug=slug,
            enabled=draw(st.booleans()),
            base_model_slug=draw(st.sampled_from((None, "gpt-4o"))),
            rates=draw(st.sampled_from((None, {"input": 1, "output": 1}))),
            created_at=1,
            updated_at=1,
        )
        for slug in slugs
    ]


@st.composite
def providers(draw: st.DrawFn) -> list[Provider]:
    found = []
    for slug in draw(st.lists(st.sampled_from(SLUGS), unique=True)):
        kind = draw(st.sampled_from(KINDS))
        integration = Integration(
            id="int",
            organization_id="org",
            slug=slug,
            name=slug,
            kind=kind,
            allow_all_models=draw(st.booleans()),
            multipliers=draw(st.sampled_from(({}, {"default": 1_200_000}))),
            created_at=1,
            updated_at=1,
        )
        access = model_access(integration, draw(models()), CATALOG.provider(kind))
        found.append(provider(slug, kind, access, expires_at=draw(st.sampled_from((None, NOW - 1, NOW, NOW + 1)))))
    return found


names = st.none() | st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map(ModelNames)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    tenant = TenantPolicy("tnt", "acme", models=draw(names)) if draw(st.booleans()) else None
    return replace(policy(*draw(providers())), models=draw(names), tenant=tenant)


def resolves(of: Policy, name: str) -> str | None:
    """What the name comes to, for a client of any format; None: it is refused in all."""
    for client in FORMATS:
        try:
            found = resolve(of, CATALOG, name, None, client, NOW).first
        except HeadgateError:
            continue
        return f"@{found.provider.slug}/{found.model}"
    return None


@settings(max_examples=150, deadline=None)
@given(policies())
def test_what_is_listed_can_be_called(of: Policy) -> None:
    """By the very name it is listed under."""
    for found, model in allowed_models(of, CATALOG, NOW)[:40]:
        assert resolves(of, f"@{found.slug}/{model}") == f"@{found.slug}/{model}"


@settings(max_examples=150, deadline=None)
@given(policies())
def test_what_can_be_called_is_listed(of: Policy) -> None:
    """Every name that the catalog or an administrator knows; where any model is taken, others go through unlisted. A
    plain name comes to something that is listed, or to a provider that takes any model."""
    listed = {f"@{found.slug}/{model}" for found, model in allowed_models(of, CATALOG, NOW)}
    for name in (*MODELS, *(f"@{slug}/{model}" for slug in SLUGS for model in MODELS)):
        if (found := resolves(of, name)) is not None and found not in listed:
            slug, _, model = found.removeprefix("@").partition("/")
            access = of.providers[slug].models
            assert access.allow_all
            assert model not in CATALOG.models(of.providers[slug].kind)
            assert model not in access.enabled
