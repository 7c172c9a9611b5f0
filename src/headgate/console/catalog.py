"""Models and prices: what the catalog knows, what each cost over time, where its sources disagree, and who has it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.responses import Response

from headgate.base.errors import NotFound
from headgate.catalog.price import Price
from headgate.console.integrations import may
from headgate.console.pager import SIZE, Pager
from headgate.console.visit import HOME, Visit
from headgate.tenancy.integration import Integration, IntegrationModel
from headgate.tenancy.provider_policy import model_access
from headgate.tenancy.stores import Page

MODELS: Final = f"{HOME}/models"
_ANY: Final = ""


async def listed(visit: Visit) -> Response:
    """Searched by a part of the name; all of one provider; those whose sources disagree."""
    catalog, pager, now = visit.services.catalog, Pager.of(visit.query), visit.services.clock.now()
    wanted, provider = visit.query.get("q", "").strip(), visit.query.get("provider", _ANY)
    disputed = visit.query.get("disputed") == "yes"
    found = [
        (spec, model)
        for spec in catalog.providers()
        if provider in (_ANY, spec.id)
        for model in catalog.models(spec.id)
        if wanted.lower() in model.lower() and not (disputed and not _disputed(visit, spec.id, model, now))
    ]
    shown = found[pager.page.offset :][:SIZE]
    return visit.page(
        "models.html",
        rows=[(spec, model, catalog.price(spec.id, model, now)) for spec, model in shown],
        providers={_ANY: "all", **{spec.id: spec.name for spec in catalog.providers()}},
        asked={"q": wanted, "provider": provider, "disputed": "yes" if disputed else ""},
        pager=pager.over(len(found)),
        as_of=catalog.as_of,
        sources=catalog.sources,
    )


async def show(visit: Visit) -> Response:
    """One model of one provider. Raises `NotFound` for one that the catalog does not have."""
    catalog, now = visit.services.catalog, visit.services.clock.now()
    provider, model = visit.query.get("provider", ""), visit.query.get("model", "")
    spec, facts = catalog.provider(provider), catalog.model(provider, model)
    if spec is None or facts is None:
        raise NotFound("The catalog has no such model. An integration's own models are on the integration's page.")
    price = catalog.price(spec.id, model, now)
    rows = sorted(catalog.prices(spec.id, model), key=lambda each: -each.effective_from)
    variants = price.variants if price else {}
    terms = {each.id: name for name, each in variants.items()}
    return visit.page(
        "model.html",
        spec=spec,
        facts=facts,
        asked=model,
        price=price,
        history=[(each, terms.get(each.id, ""), price is not None and each.id == price.id) for each in rows],
        meters=_meters(rows),
        had=await _had(visit, spec.id, model),
        as_of=catalog.as_of,
    )


def _disputed(visit: Visit, provider: str, model: str, now: int) -> Mapping[str, int]:
    price = visit.services.catalog.price(provider, model, now)
    return price.disputed if price is not None else {}


def _meters(rows: Sequence[Price]) -> list[str]:
    """All that any of the rows prices, in the order of the first that has it."""
    return list(dict.fromkeys(meter for each in rows for meter in each.rates.by_meter))


async def _had(visit: Visit, provider: str, model: str) -> list[tuple[Integration, bool, bool, list[Any]]]:
    """Of this provider's integrations that he may look into: whether the model may be used, whether it has a price of
    its own there, and the workspaces that have the integration."""
    services, principal = visit.services, visit.principal
    if not visit.may("organisation_integrations.list", "workspace_integrations.list"):
        return []
    found, _ = await services.integrations.find(principal, Page(limit=1_000))
    had = []
    for integration in found:
        if integration.kind == provider and may(visit, "read", integration):
            _, said = await services.models.get(principal, integration.id)
            _, given = await services.provisioning.get(principal, integration.id)
            workspaces = [workspace for workspace, each in given if each.enabled]
            had.append((integration, *_access(integration, said, model), workspaces))
    return had


def _access(integration: Integration, said: Sequence[IntegrationModel], model: str) -> tuple[bool, bool]:
    access = model_access(integration, said)
    return access.allows(model), model in access.prices
