"""How things stand: what is spent, what is asked, what is refused."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any

from starlette.responses import RedirectResponse, Response

from headgate.console.account import ACCOUNT
from headgate.console.chart import Chart, chart_of
from headgate.console.time_range import since_the_start_of
from headgate.console.visit import HOME, Visit
from headgate.tenancy.standing import Budgets
from headgate.tenancy.stores import Page

MOST_TENANTS = 10


async def show(visit: Visit) -> Response:
    """Of the organization, or of the workspace of who looks."""
    if not visit.may("analytics.view"):
        first = next((f"{HOME}{each.path}" for _, entries in visit.navigation for each in entries), ACCOUNT)
        return RedirectResponse(first, 303)
    usage, asked = visit.services.analytics.usage, visit.time.asked()
    principal, zone, now = visit.principal, visit.signed.time_zone, visit.services.clock.now()
    today, month, sums, errors = await asyncio.gather(
        usage.graph(principal, "cost", since_the_start_of("day", now, zone)),
        usage.graph(principal, "cost", since_the_start_of("month", now, zone)),
        usage.sums(principal, asked),
        usage.graph(principal, "errors/rate", asked),
    )
    page = Page(limit=MOST_TENANTS)
    tenants, _ = await usage.group(principal, "tenants", asked, page, order_by="cost", ascending=False)
    return visit.page(
        "overview.html",
        today=today["summary"]["total"],
        month=month["summary"]["total"],
        cost=sums["cost"]["summary"],
        requests=sums["requests"]["summary"]["total"],
        error_rate=errors["summary"]["rate"],
        latency=sums["latency"]["summary"],
        charts=[spending(visit, sums["cost"]), calling(visit, sums["requests"])],
        tenants=tenants,
        budgets=await _budgets(visit),
        refusals=_refusals(visit),
    )


def spending(visit: Visit, graph: Mapping[str, Any]) -> Chart:
    """Dollars over time."""
    return chart_of("Spend", graph, lambda told: told["total"] / 100, "$", visit.time.zone)


def calling(visit: Visit, graph: Mapping[str, Any]) -> Chart:
    """Calls over time."""
    return chart_of("Requests", graph, lambda told: told["total"], "", visit.time.zone)


async def _budgets(visit: Visit) -> Budgets:
    """Those that all calls count against, where he may see them."""
    services, principal = visit.services, visit.principal
    if principal.workspace_id is None:
        if not visit.may("organisation_settings.read"):
            return ()
        organization = await services.organizations.get(principal)
        return await services.standings.one(principal.organization_id, organization)
    if not visit.may("workspaces.read"):
        return ()
    workspace = await services.workspaces.get(principal, principal.workspace_id)
    return await services.standings.one(principal.organization_id, workspace)


def _refusals(visit: Visit) -> list[tuple[str, str, int]] | None:
    """Status, code and count. They are counted without whose they were, so they are the organization's to see."""
    if visit.principal.workspace_id is not None:
        return None
    found: Counter[tuple[str, str]] = Counter()
    for (_, status, code), count in visit.console.refusals().items():
        found[status, code] += count
    return [(status, code, count) for (status, code), count in found.most_common()]
