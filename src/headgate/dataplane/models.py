"""`GET /v1/models`: exactly what a call with this key may name."""

from collections.abc import Mapping
from typing import Any

import msgspec

from headgate.base import usage as meters
from headgate.base.errors import NotFound
from headgate.catalog.catalog import Catalog
from headgate.catalog.price import Price
from headgate.dataplane.acting import NO_BODY
from headgate.dataplane.call import Call
from headgate.dataplane.endpoints import CHAT
from headgate.dataplane.exchange import Exchange
from headgate.dataplane.headers import JSON, call_headers
from headgate.dataplane.metadata import metadata_of
from headgate.dataplane.model_list import Entry, anthropic_entry, anthropic_page, entry, page
from headgate.dataplane.provider_hint import named_provider
from headgate.ledger.allowance import Resource
from headgate.routing.resolve import allowed_models, price_of, provider_named
from headgate.tenancy.admission import Unpriced
from headgate.tenancy.limit_policy import facts_of, groups_of
from headgate.tenancy.policy import Policy, Provider


async def list_models(exchange: Exchange, call: Call, policy: Policy, catalog: Catalog) -> None:
    """The list, or the one model whose id follows in the path; with a provider in a header, of that one's models."""
    metadata = metadata_of(exchange, NO_BODY, policy)
    if (slug := named_provider(exchange)) is not None:
        provider_named(policy, slug)
    entries = [
        entry(provider, model, catalog)
        for provider, model in allowed_models(policy, catalog, call.started_at, metadata)
        if slug in (None, provider.slug) and _can_be_paid(policy, provider, model, metadata, catalog, call.started_at)
    ]
    asked = exchange.path.removeprefix("/v1").removeprefix("/models").removeprefix("/")
    body = msgspec.json.encode(_answer(exchange, entries, asked, catalog))
    await exchange.respond(200, [JSON, *call_headers(call, b"gateway"), *call.standing], body)


def _answer(exchange: Exchange, entries: list[Entry], asked: str, catalog: Catalog) -> dict[str, Any]:
    anthropic = exchange.header(b"anthropic-version") is not None
    if asked:
        found = _one(entries, asked)
        return anthropic_entry(found) if anthropic else found
    return anthropic_page(entries, exchange.query) if anthropic else page(entries, exchange.query, catalog)


def _one(entries: list[Entry], asked: str) -> Entry:
    for found in entries:
        if asked in (found["id"], found["slug"]):
            return found
    raise NotFound(f"The model `{asked[:200]}` is not available to this API key. GET /v1/models lists what is.")


def _can_be_paid(
    policy: Policy, provider: Provider, model: str, metadata: Mapping[str, str], catalog: Catalog, at: int
) -> bool:
    """A model without a known price makes no calls where a cost budget applies, unless a rule lets them pass. Of
    budgets for one endpoint those for chat count here."""
    if policy.admission.unpriced is not Unpriced.REFUSE or _priced(price_of(provider, catalog, model, at)):
        return True
    if any(each.resource is Resource.COST for each in (*policy.allowances, *provider.allowances)):
        return False
    facts = facts_of(
        organization_id=policy.organization_id,
        workspace_id=policy.workspace_id,
        tenant_id=policy.tenant_id,
        key_id=policy.key_id,
        provider=provider.slug,
        model=model,
        endpoint=CHAT.path,
        config="" if policy.config is None else policy.config.slug,
        prompt="",
        metadata=metadata,
    )
    budgets = (limit for found, _ in groups_of(policy.limit_policies, facts) for limit in found.usage_limits)
    return all(limit.resource is not Resource.COST for limit in budgets)


def _priced(price: Price | None) -> bool:
    return price is not None and any(price.rates.rate(meter) is not None for meter in (meters.INPUT, meters.REQUEST))
