"""`/providers`: integrations as workspaces name them, each with limits of its own"""

from typing import Annotated

from fastapi import APIRouter

from headgate.controlplane.answers import Answer, done, listing
from headgate.controlplane.caller import AuthenticatedRoute, WithServices, needs
from headgate.controlplane.paging import Paged
from headgate.controlplane.provider_bodies import NewProvider, ProviderUpdate, listed, shown
from headgate.tenancy.principal import Principal

router = APIRouter(prefix="/providers", tags=["providers"], route_class=AuthenticatedRoute)


@router.post("")
async def create(
    body: NewProvider, services: WithServices, principal: Annotated[Principal, needs("providers.create")]
) -> Answer:
    """Give an integration that the workspace has another name there, with limits of its own."""
    found = await services.providers.create(principal, body.sent())
    return Answer({"id": found.id, "slug": found.slug, "object": "provider"})


@router.get("")
async def find(
    services: WithServices,
    page: Paged,
    principal: Annotated[Principal, needs("providers.list")],
    workspace_id: str | None = None,
) -> Answer:
    """All that the caller may see, or those of one workspace."""
    found, total = await services.providers.find(principal, page, workspace=workspace_id)
    standings = await services.standings.of(principal.organization_id, [provider for provider, _ in found])
    now = services.clock.now()
    return listing([listed(each, standing, now) for each, standing in zip(found, standings, strict=True)], total)


@router.get("/{slug}")
async def get(
    slug: str,
    services: WithServices,
    principal: Annotated[Principal, needs("providers.read")],
    workspace_id: str | None = None,
) -> Answer:
    """One of them, and where its budgets stand. `workspace_id` where several workspaces have one of this name."""
    found = await services.providers.get(principal, slug, workspace_id)
    standing = await services.standings.one(principal.organization_id, found[0])
    return Answer(shown(found, standing, services.clock.now()))


@router.put("/{slug}")
async def update(
    slug: str,
    body: ProviderUpdate,
    services: WithServices,
    principal: Annotated[Principal, needs("providers.update")],
    workspace_id: str | None = None,
) -> Answer:
    """Change what is sent; `reset_usage` starts its budgets again from zero."""
    found = await services.providers.update(principal, slug, body.sent(), workspace_id)
    return Answer({"id": found.id, "slug": found.slug})


@router.delete("/{slug}")
async def delete(
    slug: str,
    services: WithServices,
    principal: Annotated[Principal, needs("providers.delete")],
    workspace_id: str | None = None,
) -> Answer:
    """Take the name away. The workspace keeps the integration, and its other names for it."""
    await services.providers.delete(principal, slug, workspace_id)
    return done()
