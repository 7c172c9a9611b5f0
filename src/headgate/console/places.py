"""The workspaces and tenants that somebody may see: for lists that name them and forms that offer them."""

from collections.abc import Set as AbstractSet
from contextlib import suppress

from headgate.base.errors import NotFound
from headgate.console.visit import Visit
from headgate.tenancy.stores import Page
from headgate.tenancy.workspace import Workspace


async def workspaces(visit: Visit) -> dict[str, Workspace]:
    """By id, a thousand at most; none where he may see none."""
    if not visit.may("workspaces.list"):
        return {}
    found, _ = await visit.services.workspaces.find(visit.principal, Page(limit=1_000))
    return {each.id: each for each in found}


async def tenant_names(visit: Visit, ids: AbstractSet[str | None]) -> dict[str, str]:
    """What people call them, for those who may see them. Some may be gone."""
    found: dict[str, str] = {}
    if visit.may("tenants.read"):
        for each in filter(None, ids):
            with suppress(NotFound):
                found[each] = (await visit.services.tenants.get(visit.principal, each)).name
    return found
