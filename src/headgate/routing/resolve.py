"""Which provider and model a name means, for one policy.

A name is `@provider/model`, or a plain model together with a provider named in a header, or a plain model alone. A
plain model alone goes to the first provider (in the order of their slugs) that lists it by name; failing that, to the
only provider of the workspace that takes any model.
"""

from collections.abc import Mapping, Set

from headgate.base.errors import InvalidRequest, ModelNotAllowed, NotFound, Unauthenticated
from headgate.catalog.catalog import Catalog
from headgate.catalog.price import Price
from headgate.catalog.provider import ProviderSpec
from headgate.catalog.units import UNIT_FORMATS, complete
from headgate.routing.plan import Plan, Target
from headgate.tenancy.policy import Policy, Provider
from headgate.wire.registry import speaks

NO_MODEL = "portkey-default"
"""What the Portkey SDK sends for a call without a model."""
SHOWN = 30
"""How many allowed models a refusal lists."""


def resolve(
    policy: Policy, catalog: Catalog, asked: str | None, provider_hint: str | None, client: str, at: int
) -> Plan:
    """The plan for a model name. `client` is the client's wire format, `at` the wall clock that dates prices.

    Raises `InvalidRequest` (no model, or a provider that has no such endpoint), `NotFound` (no such provider here)
    `Unauthenticated` (the provider has expired) and `ModelNotAllowed`, which lists what is allowed.
    """
    slug, model = _parse(asked_or_default(policy, asked), provider_hint)
    provider = provider_named(policy, slug) if slug else _provider_for(policy, catalog, model, at)
    _refuse_expired(provider, at)
    if not allows(policy, provider, model):
        raise _not_allowed(policy, catalog, f"@{provider.slug}/{model}", at)
    spec = catalog.provider(provider.kind)
    if spec is None:
        raise NotFound(f"Provider `@{provider.slug}` is of the unknown kind `{provider.kind}`.", param="model")
    target = Target(
        provider=provider.elsewhere.get(model, provider),
        spec=spec,
        model=model,
        format=_format(spec, client, provider.slug),
        facts=catalog.model(provider.kind, provider.models.bases.get(model, model)),
        price=_whole_price(price_of(provider, catalog, model, at), client),
    )
    return Plan(asked or model, (target,), policy.allowances + provider.allowances)


def allowed_models(
    policy: Policy, catalog: Catalog, at: int, metadata: Mapping[str, str] | None = None
) -> list[tuple[Provider, str]]:
    """Every model a call with this policy may name at this moment, by provider slug and then by name. `metadata` is the
    call's; without it, what the policy says."""
    guards, metadata = policy.guardrails, policy.metadata if metadata is None else metadata
    return [
        (provider, model)
        for _, provider in sorted(policy.providers.items())
        if not _expired(provider, at) and catalog.provider(provider.kind) is not None
        for model in sorted(_known(provider, catalog))
        if allows(policy, provider, model) and (guards is None or guards.allow_model(provider.slug, model, metadata))
    ]


def allows(policy: Policy, provider: Provider, model: str) -> bool:
    """What the integration has, and the tenant and the key may use."""
    if not provider.models.allows(model):
        return False
    tenant = policy.tenant
    if tenant is not None and tenant.models is not None and not tenant.models.allow(provider.slug, model):
        return False
    return policy.models is None or policy.models.allow(provider.slug, model)


def price_of(provider: Provider, catalog: Catalog, model: str, at: int) -> Price | None:
    """The administrator's own price, else the catalog's, of the model or of the one it is based on; multiplied as the
    administrator says. None: it has no known price."""
    access = provider.models
    base = access.bases.get(model, model)
    price = access.prices.get(model) or access.prices.get(base) or catalog.price(provider.kind, base, at)
    return access.multipliers.of(price) if price is not None and access.multipliers is not None else price


def _whole_price(price: Price | None, client: str) -> Price | None:
    return complete(price) if price is not None and client in UNIT_FORMATS else price


def asked_or_default(policy: Policy, asked: str | None) -> str | None:
    """The model's name; for a call that names none, the tenant's default."""
    if asked and asked != NO_MODEL:
        return asked
    return policy.tenant.default_model if policy.tenant is not None else None


def _parse(asked: str | None, hint: str | None) -> tuple[str | None, str]:
    if not asked:
        raise InvalidRequest("Name a model: `model` is required, for example `@openai-prod/gpt-4o`.", param="model")
    if not asked.isprintable():
        raise InvalidRequest("The name of a model has no control characters.", param="model")
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


def provider_named(policy: Policy, slug: str) -> Provider:
    """Raises `NotFound`, which names those that there are."""
    if (provider := policy.providers.get(slug)) is not None:
        return provider
    here = ", ".join(f"`@{known}`" for known in sorted(policy.providers)) or "none"
    raise NotFound(
        f"There is no provider `@{slug[:100]}` in this workspace. Here: {here}.",
        param="model",
        code="provider_not_found",
    )


def _expired(provider: Provider, at: int) -> bool:
    return provider.expires_at is not None and provider.expires_at <= at


def _refuse_expired(provider: Provider, at: int) -> None:
    if _expired(provider, at):
        raise Unauthenticated(
            f"The provider `@{provider.slug}` has expired. Name another one, or ask an administrator to extend it.",
            param="model",
            code="01",
            type="virtual_key_expired_error",
        )


def _provider_for(policy: Policy, catalog: Catalog, model: str, at: int) -> Provider:
    open_to_all = []
    for _, provider in sorted(policy.providers.items()):
        if _expired(provider, at) or not allows(policy, provider, model):
            continue
        if model in _known(provider, catalog) or catalog.model(provider.kind, model) is not None:
            return provider
        if provider.models.allow_all:
            open_to_all.append(provider)
    if len(open_to_all) == 1:
        return open_to_all[0]
    raise _not_allowed(policy, catalog, model, at)


def _known(provider: Provider, catalog: Catalog) -> Set[str]:
    named = provider.models.enabled | provider.models.prices.keys() | provider.models.bases.keys()
    return named.union(catalog.models(provider.kind)) if provider.models.allow_all else named


def _format(spec: ProviderSpec, client: str, slug: str) -> str:
    """The client's own format where the provider speaks it, else the first one that translates."""
    if client in spec.formats:
        return client
    for spoken in spec.formats:
        if speaks(client, spoken):
            return spoken
    raise InvalidRequest(f"Provider `@{slug}` has no endpoint for `{client}` requests.", param="model")


def _not_allowed(policy: Policy, catalog: Catalog, asked: str, at: int) -> ModelNotAllowed:
    allowed = [f"@{provider.slug}/{model}" for provider, model in allowed_models(policy, catalog, at)]
    listed = ", ".join(f"`{name}`" for name in allowed[:SHOWN]) or "none"
    more = f" and {len(allowed) - SHOWN} more (GET /v1/models)" if len(allowed) > SHOWN else ""
    return ModelNotAllowed(
        f"The model `{asked[:200]}` is not available to this API key. Allowed: {listed}{more}.",
        param="model",
        details={"allowed": allowed[:SHOWN]},
    )
