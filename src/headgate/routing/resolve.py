"""Which provider and model a name means, for one policy.

A name is `@provider/model`, or a plain model together with a provider named in a header, or a plain model alone. A
plain model alone goes to the first provider (in the order of their slugs) that lists it by name; failing that, to the
only provider of the workspace that takes any model.
"""

from headgate.base.errors import InvalidRequest, ModelNotAllowed, NotFound
from headgate.catalog.catalog import Catalog
from headgate.catalog.provider import ProviderSpec
from headgate.routing.plan import Plan, Target
from headgate.tenancy.policy import Policy, Provider
from headgate.wire.registry import speaks

SHOWN = 30
"""How many allowed models a refusal lists."""


def resolve(
    policy: Policy, catalog: Catalog, asked: str | None, provider_hint: str | None, client: str, at: int
) -> Plan:
    """The plan for a model name. `client` is the client's wire format, `at` the wall clock that dates prices.

    Raises `InvalidRequest` (no model, or a provider that has no such endpoint), `NotFound` (no such provider here)
    and `ModelNotAllowed`, which lists what is allowed.
    """
    slug, model = _parse(asked, provider_hint)
    provider = _provider(policy, slug) if slug else _provider_for(policy, catalog, model)
    if not provider.models.allows(model):
        raise _not_allowed(policy, catalog, f"@{provider.slug}/{model}")
    spec = catalog.provider(provider.kind)
    if spec is None:
        raise NotFound(f"Provider `@{provider.slug}` is of the unknown kind `{provider.kind}`.", param="model")
    target = Target(
        provider=provider,
        spec=spec,
        model=model,
        format=_format(spec, client, provider.slug),
        facts=catalog.model(provider.kind, model),
        price=provider.models.prices.get(model) or catalog.price(provider.kind, model, at),
    )
    return Plan(asked or model, (target,), policy.allowances + provider.allowances)


def allowed_models(policy: Policy, catalog: Catalog) -> list[tuple[Provider, str]]:
    """Every model a call with this policy may name, by provider slug and then by name."""
    return [
        (provider, model)
        for _, provider in sorted(policy.providers.items())
        for model in sorted(_known(provider, catalog))
        if provider.models.allows(model)
    ]


def _parse(asked: str | None, hint: str | None) -> tuple[str | None, str]:
    if not asked:
        raise InvalidRequest("Name a model: `model` is required, for example `@openai-prod/gpt-4o`.", param="model")
    if not asked.startswith("@"):
        return hint, asked
    slug, slash, model = asked[1:].partition("/")
    if not slug or not slash or not model:
        raise InvalidRequest(f"`{asked[:200]}` is not of the form `@provider/model`.", param="model")
    if hint is not None and hint != slug:
        raise InvalidRequest(
            f"The model names the provider `@{slug}`, the header `@{hint}`. Send one of them.", param="model"
        )
    return slug, model


def _provider(policy: Policy, slug: str) -> Provider:
    if (provider := policy.providers.get(slug)) is not None:
        return provider
    here = ", ".join(f"`@{known}`" for known in sorted(policy.providers)) or "none"
    raise NotFound(
        f"There is no provider `@{slug[:100]}` in this workspace. Here: {here}.",
        param="model",
        code="provider_not_found",
    )


def _provider_for(policy: Policy, catalog: Catalog, model: str) -> Provider:
    open_to_all = []
    for _, provider in sorted(policy.providers.items()):
        if not provider.models.allows(model):
            continue
        if model in _known(provider, catalog) or catalog.model(provider.kind, model) is not None:
            return provider
        if provider.models.allow_all:
            open_to_all.append(provider)
    if len(open_to_all) == 1:
        return open_to_all[0]
    raise _not_allowed(policy, catalog, model)


def _known(provider: Provider, catalog: Catalog) -> set[str]:
    named = set(provider.models.enabled) | set(provider.models.prices)
    return named | set(catalog.models(provider.kind)) if provider.models.allow_all else named


def _format(spec: ProviderSpec, client: str, slug: str) -> str:
    """The client's own format where the provider speaks it, else the first one that translates."""
    if client in spec.formats:
        return client
    for spoken in spec.formats:
        if speaks(client, spoken):
            return spoken
    raise InvalidRequest(f"Provider `@{slug}` has no endpoint for `{client}` requests.", param="model")


def _not_allowed(policy: Policy, catalog: Catalog, asked: str) -> ModelNotAllowed:
    allowed = [f"@{provider.slug}/{model}" for provider, model in allowed_models(policy, catalog)]
    listed = ", ".join(f"`{name}`" for name in allowed[:SHOWN]) or "none"
    more = f" and {len(allowed) - SHOWN} more (GET /v1/models)" if len(allowed) > SHOWN else ""
    return ModelNotAllowed(
        f"The model `{asked[:200]}` is not available to this API key. Allowed: {listed}{more}.",
        param="model",
        details={"allowed": allowed[:SHOWN]},
    )
