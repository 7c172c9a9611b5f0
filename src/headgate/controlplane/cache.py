"""`/admin/cache`: the answers that are kept to be given again."""

from typing import Annotated

from fastapi import APIRouter

from headgate.controlplane.answers import Answer
from headgate.controlplane.body import Reference
from headgate.controlplane.caller import AuthenticatedRoute, WithServices, needs
from headgate.tenancy.principal import Principal

router = APIRouter(prefix="/admin/cache", tags=["cache"], route_class=AuthenticatedRoute)


@router.delete("")
async def purge(
    services: WithServices,
    principal: Annotated[Principal, needs("organisation_settings.update", "configs.update")],
    workspace_id: Reference | None = None,
    tenant_id: Reference | None = None,
) -> Answer:
    """Forget the answers that are cached: of the organization, of a workspace, or of a tenant."""
    return Answer({"purged": await services.cached_answers.purge(principal, workspace_id, tenant_id)})
