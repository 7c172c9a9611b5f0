"""`/configs`: where calls go and on what terms, by a name that calls give."""

from typing import Annotated

from fastapi import APIRouter

from headgate.controlplane.answers import Answer, done, listing
from headgate.controlplane.caller import AuthenticatedRoute, WithServices, needs
from headgate.controlplane.config_bodies import (
    ConfigChange,
    NewConfig,
    both,
    config,
    config_detail,
    config_made,
    version,
)
from headgate.controlplane.paging import Paged
from headgate.tenancy.principal import Principal

router = APIRouter(prefix="/configs", tags=["configs"], route_class=AuthenticatedRoute)


@router.post("")
async def create(
    body: NewConfig, services: WithServices, principal: Annotated[Principal, needs("configs.create")]
) -> Answer:
    """Make a config; its slug is made too."""
    return Answer(config_made(await services.configs.create(principal, body.sent())))


@router.get("")
async def find(
    services: WithServices,
    page: Paged,
    principal: Annotated[Principal, needs("configs.list")],
    workspace_id: str | None = None,
) -> Answer:
    """All configs; for a workspace's key those of its workspace."""
    found, total = await services.configs.find(principal, page, workspace=workspace_id)
    return listing([config(each) for each in found], total)


@router.get("/{slug}")
async def get(slug: str, services: WithServices, principal: Annotated[Principal, needs("configs.read")]) -> Answer:
    """One config, as it was written."""
    return Answer(both(config_detail(await services.configs.get(principal, slug))))


@router.get("/{slug}/versions")
async def versions(
    slug: str, services: WithServices, page: Paged, principal: Annotated[Principal, needs("configs.read")]
) -> Answer:
    """What it was, each time it was written; the newest first."""
    found, total = await services.configs.versions(principal, slug, page)
    return listing([version(each) for each in found], total)


@router.put("/{slug}")
async def update(
    slug: str,
    body: ConfigChange,
    services: WithServices,
    principal: Annotated[Principal, needs("configs.update")],
) -> Answer:
    """Change what is sent: a new version, which the next call has."""
    return Answer(config_made(await services.configs.update(principal, slug, body.sent())))


@router.delete("/{slug}")
async def delete(slug: str, services: WithServices, principal: Annotated[Principal, needs("configs.delete")]) -> Answer:
    """Remove it with its versions; refused while a key or a workspace has it as its default."""
    await services.configs.delete(principal, slug)
    return done()
