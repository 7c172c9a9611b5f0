"""What the tenant used, and how long its budgets will last."""

import asyncio
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from headgate.console.chart import chart_of
from headgate.console.formats import amount, at
from headgate.console.portal.visit import PortalVisit
from headgate.ledger.allowance import Resource
from headgate.tenancy.forecast import Forecast, Outlook, forecast
from headgate.tenancy.standing import Budget
from headgate.tenancy.stores import Page

MOST_MODELS: Final = 20


@dataclass(frozen=True, slots=True)
class Outlined:
    """A budget and what becomes of it. `key`: it is that of the key he came with, not the tenant's."""

    budget: Budget
    forecast: Forecast
    key: bool = False

    def words(self, zone: str) -> str:
        """What the present rate leads to."""
        told, resource = self.forecast, self.budget.limit.resource
        if told.outlook is Outlook.USED_UP:
            return "Nothing is left."
        if told.outlook is Outlook.UNUSED:
            return f"Nothing was used since {at(told.since, zone)}."
        if told.outlook is Outlook.TOO_EARLY:
            return f"Too early to say how long it will last: it began to count at {at(told.since, zone)}."
        unit = "" if resource is Resource.COST else f" {resource}"
        rate = f"At {amount(told.rate, resource)}{unit} a day, as since {at(told.since, zone)}, it will"
        if told.outlook is Outlook.LASTS:
            return f"{rate} last."
        return f"{rate} be used up at {at(told.at, zone)}."


async def show(visit: PortalVisit) -> Response:
    """Of the whole tenant, or of the key he came with where that key may not see more."""
    usage, principal = visit.services.analytics.usage, visit.principal
    own = visit.own("analytics.view")
    asked = {**visit.time.asked(), **own}
    sums, tokens = await asyncio.gather(usage.sums(principal, asked), usage.graph(principal, "tokens", asked))
    page = Page(limit=MOST_MODELS)
    models, _ = await usage.group(principal, "ai-models", asked, page, order_by="cost", ascending=False)
    zone = visit.time.zone
    return visit.page(
        "overview.html",
        only_key=bool(own),
        budgets=await budgets(visit),
        cost=sums["cost"]["summary"]["total"],
        calls=sums["requests"]["summary"]["total"],
        tokens=tokens["summary"]["total"],
        latency=sums["latency"]["summary"],
        models=models,
        charts=[
            chart_of("Spend", sums["cost"], lambda told: told["total"] / 100, "$", zone),
            chart_of("Requests", sums["requests"], lambda told: told["total"], "", zone),
            chart_of("Tokens", tokens, lambda told: told["total"], "", zone),
        ],
    )


async def budgets(visit: PortalVisit) -> list[Outlined]:
    """Those of the tenant, and those of the key he came with."""
    services, tenant, now = visit.services, visit.visitor.tenant, visit.services.clock.now()
    of_tenant = await services.standings.one(tenant.organization_id, tenant)
    found = [Outlined(each, forecast(each, tenant.created_at, now)) for each in of_tenant]
    if visit.session.key_id is not None:
        key = await services.api_keys.own(visit.principal)
        of_key = await services.standings.one(tenant.organization_id, key)
        found += [Outlined(each, forecast(each, key.created_at, now), key=True) for each in of_key]
    return found
