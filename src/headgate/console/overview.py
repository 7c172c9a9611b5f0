"""How things stand: what is spent, what is asked, what is refused."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from headgate.analytics.calls import Label, Sums
from headgate.analytics.figures import cents
from headgate.base.errors import HeadgateError
from headgate.console.account import ACCOUNT
from headgate.console.chart import Chart, chart_of
from headgate.console.time_range import since_the_start_of, start_of, typed
from headgate.console.visit import HOME, Visit
from headgate.tenancy.integration import Integration
from headgate.tenancy.owner import LimitOwner
from headgate.tenancy.standing import Budgets
from headgate.tenancy.stores import Page
from headgate.tenancy.system import Resting

MOST_SPENDERS: Final = 5


@dataclass(frozen=True, slots=True)
class Spender:
    """A workspace or tenant that spent something; without budgets where it is gone, or not his to see."""

    row: Mapping[str, Any]
    budgets: Budgets
    there: bool


async def show(visit: Visit) -> Response:
    """Of the organization, or of the workspace of who looks."""
    if not visit.may("analytics.view"):
        first = next((f"{HOME}{each.path}" for _, entries in visit.navigation for each in entries), ACCOUNT)
        return RedirectResponse(first, 303)
    usage, asked = visit.services.analytics.usage, visit.time.asked()
    principal, zone, now = visit.principal, visit.signed.time_zone, visit.services.clock.now()
    today, month, sums, errors = await asyncio.gather(
        usage.total(principal, since_the_start_of("day", now, zone)),
        usage.total(principal, since_the_start_of("month", now, zone)),
        usage.sums(principal, asked),
        usage.graph(principal, "errors/stacks", asked),
    )
    providers, tenants, workspaces = await asyncio.gather(
        usage.grouped(principal, asked, Label.PROVIDER),
        _spenders(visit, "tenants"),
        _spenders(visit, "workspaces"),
    )
    requests = sums["requests"]["summary"]["total"]
    failing = chart_of("Errors", errors, lambda told: told["total"], "", visit.time.zone)
    return visit.page(
        "overview.html",
        spans=[
            ("today", cents(today.cost), _since("day", visit)),
            ("this month", cents(month.cost), _since("month", visit)),
        ],
        cost=sums["cost"]["summary"],
        requests=requests,
        tokens=sums["tokens"]["summary"]["total"],
        errors=errors["summary"],
        latency=sums["latency"]["summary"],
        first=sums["first-byte"]["summary"],
        charts=[spending(visit, sums["cost"]), calling(visit, sums["requests"]), failing],
        providers=_busiest(providers),
        tenants=tenants,
        workspaces=workspaces,
        budgets=await _budgets(visit),
        refusals=_refusals(visit),
        live=visit.console.live if visit.administers else None,
        resting=await _resting(visit),
    )


def spending(visit: Visit, graph: Mapping[str, Any]) -> Chart:
    """Dollars over time."""
    return chart_of("Spend", graph, lambda told: told["total"] / 100, "$", visit.time.zone)


def calling(visit: Visit, graph: Mapping[str, Any]) -> Chart:
    """Calls over time."""
    return chart_of("Requests", graph, lambda told: told["total"], "", visit.time.zone)


def _since(unit: str, visit: Visit) -> str:
    """When it began, where the organization is, as a field of the address has it."""
    began = start_of(unit, visit.services.clock.now(), visit.signed.time_zone)
    return typed(began, visit.time.zone)


def _busiest(found: Mapping[str, Sums]) -> list[tuple[str, Sums]]:
    """Providers by name, those with most calls first."""
    return sorted(found.items(), key=lambda each: each[1].requests, reverse=True)


async def _spenders(visit: Visit, name: str) -> list[Spender]:
    """Those that spent most, each with where its budgets stand."""
    services, principal = visit.services, visit.principal
    if name == "workspaces" and not visit.administers:
        return []
    rows, _ = await services.analytics.usage.group(
        principal, name, visit.time.asked(), Page(limit=MOST_SPENDERS), order_by="cost", ascending=False
    )
    kind = name.removesuffix("s")
    owners: dict[str, LimitOwner] = {}
    if visit.may(f"{name}.read"):
        service = services.tenants if kind == "tenant" else services.workspaces
        owners = {row[kind]: await service.get(principal, row[kind]) for row in rows if "name" in row}
    standing = await services.standings.of(principal.organization_id, list(owners.values()))
    budgets = dict(zip(owners, standing, strict=True))
    return [Spender(row, budgets.get(row[kind], ()), row[kind] in owners) for row in rows]


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


async def _resting(visit: Visit) -> list[tuple[Integration | None, Resting]]:
    """What calls pass over at the moment, each with its integration where it is still there."""
    services, principal = visit.services, visit.principal
    if not visit.administers:
        return []
    found: list[tuple[Integration | None, Resting]] = []
    for each in services.system.resting(principal):
        try:
            found.append((await services.integrations.get(principal, each.integration_id), each))
        except HeadgateError:
            found.append((None, each))
    return found


def _refusals(visit: Visit) -> list[tuple[str, str, int]] | None:
    """Status, code and count. They are counted without whose they were, so they are the organization's to see."""
    if visit.principal.workspace_id is not None:
        return None
    found: Counter[tuple[str, str]] = Counter()
    for (_, status, code), count in visit.console.refusals().items():
        found[status, code] += count
    return [(status, code, count) for (status, code), count in found.most_common()]
