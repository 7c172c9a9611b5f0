"""`/model-configs/pricing`: what the catalog says a model costs"""

from typing import Annotated, Any

from fastapi import APIRouter

from headgate.base.errors import NotFound
from headgate.catalog.price import Price
from headgate.controlplane.answers import Answer
from headgate.controlplane.caller import AuthenticatedRoute, WithServices, needs
from headgate.tenancy import pricing
from headgate.tenancy.moments import to_iso
from headgate.tenancy.principal import Principal

router = APIRouter(prefix="/model-configs/pricing", tags=["prices"], route_class=AuthenticatedRoute)
Reader = Annotated[
    Principal,
    needs("organisation_integrations.read", "workspace_integrations.read", "models.list", "completions.write"),
]


@router.get("/{provider}/{model:path}")
async def get(provider: str, model: str, services: WithServices, principal: Reader) -> Answer:
    """The list price of now, in US cents per token, before what an integration sets or multiplies. `tiers` take its
    place for calls with more input than `above`, `variants` under other terms."""
    price = services.catalog.price(provider, model, services.clock.now())
    if price is None:
        raise NotFound(f"`{model[:100]}` of `{provider[:100]}` has no known price.", param="model")
    return Answer({**_shown(price), "currency": "USD", "provider": price.provider, "model": price.model})


def _shown(price: Price) -> dict[str, Any]:
    return {
        "id": price.id,
        **pricing.shown(price.rates.by_meter),
        "tiers": [{"above": above, **pricing.shown(rates.by_meter)} for above, rates in price.tiers],
        "variants": {name: _shown(variant) for name, variant in price.variants.items()},
        "effective_from": to_iso(price.effective_from) if price.effective_from else None,
        "source": price.source,
    }
