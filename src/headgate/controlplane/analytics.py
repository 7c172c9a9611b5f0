"""`/analytics`: graphs, groups and summaries of usage, in the contract's shapes; cost in cents."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from headgate.controlplane.answers import Answer, listing
from headgate.controlplane.caller import AuthenticatedRoute, WithServices, needs
from headgate.controlplane.paging import Paged
from headgate.controlplane.usage_filters import Filters
from headgate.tenancy.principal import Principal

router = APIRouter(prefix="/analytics", tags=["analytics"], route_class=AuthenticatedRoute)

Viewer = Annotated[Principal, needs("analytics.view")]
OrderBy = Annotated[str | None, Query(examples=["cost"])]
Order = Annotated[Literal["asc", "desc"], Query(alias="order_by_type")]


@router.get("/graphs/{graph:path}")
async def graph(graph: str, services: WithServices, principal: Viewer, filters: Filters) -> Answer:
    """A figure over time: in all, and for each quarter of an hour, hour, day or month, by how long the time is."""
    return Answer(await services.analytics.usage.graph(principal, graph, filters.asked()))


@router.get("/groups/metadata/{key:path}")
async def by_metadata(
    key: str,
    services: WithServices,
    principal: Viewer,
    filters: Filters,
    page: Paged,
    order_by: OrderBy = None,
    order: Order = "desc",
) -> Answer:
    """By the values of one metadata key; calls without it are left out."""
    return await _grouped(services, principal, f"metadata/{key}", filters, page, order_by, order)


@router.get("/groups/{group_by}")
async def grouped(
    group_by: str,
    services: WithServices,
    principal: Viewer,
    filters: Filters,
    page: Paged,
    order_by: OrderBy = None,
    order: Order = "desc",
) -> Answer:
    """By users, models, workspaces, tenants, keys, providers or statuses; the most requests first."""
    return await _grouped(services, principal, group_by, filters, page, order_by, order)


@router.get("/summary/cache")
async def cache(services: WithServices, principal: Viewer, filters: Filters) -> Answer:
    """How often the answer cache had the answer, and how much sooner it was there."""
    return Answer(await services.analytics.usage.cache_summary(principal, filters.asked()))


async def _grouped(
    services: WithServices,
    principal: Principal,
    group: str,
    filters: Filters,
    page: Paged,
    order_by: str | None,
    order: str,
) -> Answer:
    rows, total = await services.analytics.usage.group(
        principal, group, filters.asked(), page, order_by=order_by, ascending=order == "asc"
    )
    return listing(rows, total)
