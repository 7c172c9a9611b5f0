"""`/virtual-keys`: a workspace's own integration and its provider as one, as the contract had it before it had those"""

from typing import Annotated, Any

from fastapi import APIRouter

from headgate.controlplane.answers import Answer, done, listing
from headgate.controlplane.caller import AuthenticatedRoute, WithServices, needs
from headgate.controlplane.paging import Paged
from headgate.controlplane.provider_bodies import NewVirtualKey, VirtualKeyChange, virtual_key
from headgate.tenancy.principal import Principal
from headgate.tenancy.providers import Provided

router = APIRouter(prefix="/virtual-keys", tags=["virtual keys"], route_class=AuthenticatedRoute)


@router.post("")
async def create(
    body: NewVirtualKey, services: WithServices, principal: Annotated[Principal, needs("virtual_keys.create")]
) -> Answer:
    """Store a provider's credential for one workspace, which can use it at once as `@slug/model`."""
    provider, _ = await services.virtual_keys.create(principal, body.sent())
    return Answer(_twice({"id": provider.id, "slug": provider.slug}))


@router.get("")
async def find(
    services: WithServices,
    page: Paged,
    principal: Annotated[Principal, needs("virtual_keys.list")],
    workspace_id: str | None = None,
) -> Answer:
    """All that the caller may see, or those of one workspace."""
    found, total = await services.virtual_keys.find(principal, page, workspace=workspace_id)
    standings = await services.standings.of(principal.organization_id, [provider for provider, _ in found])
    now = services.clock.now()
    return listing([virtual_key(each, standing, now) for each, standing in zip(found, standings, strict=True)], total)


@router.get("/{slug}")
async def get(
    slug: str,
    services: WithServices,
    principal: Annotated[Principal, needs("virtual_keys.read")],
    workspace_id: str | None = None,
) -> Answer:
    """One of them; its credential masked."""
    return Answer(_twice(await _shown(services, await services.virtual_keys.get(principal, slug, workspace_id))))


@router.put("/{slug}")
async def update(
    slug: str,
    body: VirtualKeyChange,
    services: WithServices,
    principal: Annotated[Principal, needs("virtual_keys.update")],
    workspace_id: str | None = None,
) -> Answer:
    """Change what is sent: `key` takes the place of the credential, the rest is the provider's."""
    provider, _ = await services.virtual_keys.update(principal, slug, body.sent(), workspace_id)
    return Answer(_twice({"id": provider.id, "slug": provider.slug}))


@router.delete("/{slug}")
async def delete(
    slug: str,
    services: WithServices,
    principal: Annotated[Principal, needs("virtual_keys.delete")],
    workspace_id: str | None = None,
) -> Answer:
    """Remove it with its credential, unless other providers still use that."""
    await services.virtual_keys.delete(principal, slug, workspace_id)
    return done()


async def _shown(services: WithServices, found: Provided) -> dict[str, Any]:
    provider, integration = found
    standing = await services.standings.one(integration.organization_id, provider)
    return virtual_key(found, standing, services.clock.now())


def _twice(fields: dict[str, Any]) -> dict[str, Any]:
    # The published API wraps it in `data`; the SDK reads it without.
    return {**fields, "success": True, "data": fields}
