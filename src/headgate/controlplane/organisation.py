"""`/admin/organisation`: the settings and limits of the whole organization."""

from typing import Annotated

from fastapi import APIRouter

from headgate.controlplane import views
from headgate.controlplane.answers import Answer
from headgate.controlplane.bodies import OrganisationChange
from headgate.controlplane.caller import AuthenticatedRoute, WithServices, needs
from headgate.controlplane.services import Services
from headgate.tenancy.organization import Organization
from headgate.tenancy.principal import Principal

router = APIRouter(prefix="/admin/organisation", tags=["organisation"], route_class=AuthenticatedRoute)


@router.get("")
async def get(services: WithServices, principal: Annotated[Principal, needs("organisation_settings.read")]) -> Answer:
    """The organization: its limits, and what becomes of calls that do not fit."""
    return await _shown(services, await services.organizations.get(principal))


@router.put("")
async def update(
    body: OrganisationChange,
    services: WithServices,
    principal: Annotated[Principal, needs("organisation_settings.update")],
) -> Answer:
    """Change what is sent; limits and admission rules replace those before."""
    return await _shown(services, await services.organizations.update(principal, body.sent()))


async def _shown(services: Services, found: Organization) -> Answer:
    return Answer(views.organisation(found, await services.standings.one(found.id, found)))
