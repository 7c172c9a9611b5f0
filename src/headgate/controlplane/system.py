"""`/admin/system`: how the installation stands, and having its books added up again."""

from typing import Annotated

from fastapi import APIRouter

from headgate.controlplane import system_views
from headgate.controlplane.answers import Answer
from headgate.controlplane.caller import AuthenticatedRoute, WithServices, needs
from headgate.tenancy.principal import Principal

router = APIRouter(prefix="/admin/system", tags=["system"], route_class=AuthenticatedRoute)


@router.get("")
async def get(services: WithServices, principal: Annotated[Principal, needs("organisation_settings.read")]) -> Answer:
    """Stores, journal, outbox, calls under way with what they hold, processes that share allowances, settings that are
    not as they come, and the last verification: as the process that answers sees them."""
    return Answer(system_views.system(await services.system.state(principal)))


@router.post("/verify")
async def verify(
    services: WithServices, principal: Annotated[Principal, needs("organisation_settings.update")]
) -> Answer:
    """Begin to add up every balance from the usage records, beside the process; the system has how far it is."""
    return Answer(system_views.verification(services.system.verify(principal)))
