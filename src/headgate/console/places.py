"""The workspaces that somebody may see: for lists that name them and forms that offer them."""

from headgate.console.visit import Visit
from headgate.tenancy.stores import Page
from headgate.tenancy.workspace import Workspace


async def workspaces(visit: Visit) -> dict[str, Workspace]:
    """By id, a thousand at most; none where he may see none."""
    if not visit.may("workspaces.list"):
        return {}
    found, _ = await visit.services.workspaces.find(visit.principal, Page(limit=1_000))
    return {each.id: each for each in found}
