"""`/guardrails`: what calls and answers are checked with."""

from typing import Annotated

from fastapi import APIRouter

from headgate.controlplane.answers import Answer, done, listing
from headgate.controlplane.caller import AuthenticatedRoute, WithServices, needs
from headgate.controlplane.config_bodies import (
    GuardrailChange,
    NewGuardrail,
    both,
    guardrail,
    guardrail_detail,
    guardrail_made,
    version,
)
from headgate.controlplane.paging import Paged
from headgate.tenancy.principal import Principal

router = APIRouter(prefix="/guardrails", tags=["guardrails"], route_class=AuthenticatedRoute)

# Which of the two it is depends on whose guardrail it is: the service checks it.
Creator = Annotated[Principal, needs("guardrails.create", "organisation_guardrails.create")]
Lister = Annotated[Principal, needs("guardrails.list", "organisation_guardrails.list")]
Reader = Annotated[Principal, needs("guardrails.read", "organisation_guardrails.read")]
Changer = Annotated[Principal, needs("guardrails.update", "organisation_guardrails.update")]
Remover = Annotated[Principal, needs("guardrails.delete", "organisation_guardrails.delete")]


@router.post("")
async def create(body: NewGuardrail, services: WithServices, principal: Creator) -> Answer:
    """Make a guardrail; it checks nothing until it is attached."""
    return Answer(guardrail_made(await services.guardrails.create(principal, body.sent())))


@router.get("")
async def find(services: WithServices, page: Paged, principal: Lister, workspace_id: str | None = None) -> Answer:
    """All guardrails; for a workspace's key those of its workspace."""
    found, total = await services.guardrails.find(principal, page, workspace=workspace_id)
    return listing([guardrail(each) for each in found], total)


@router.get("/{guardrail_id}")
async def get(guardrail_id: str, services: WithServices, principal: Reader) -> Answer:
    """One guardrail, by its id or its slug."""
    return Answer(both(guardrail_detail(await services.guardrails.get(principal, guardrail_id))))


@router.get("/{guardrail_id}/versions")
async def versions(guardrail_id: str, services: WithServices, page: Paged, principal: Reader) -> Answer:
    """What it was, each time it was written; the newest first."""
    found, total = await services.guardrails.versions(principal, guardrail_id, page)
    return listing([version(each) for each in found], total)


@router.put("/{guardrail_id}")
async def update(guardrail_id: str, body: GuardrailChange, services: WithServices, principal: Changer) -> Answer:
    """Change what is sent: a new version, in force where it is attached from the next call on."""
    return Answer(guardrail_made(await services.guardrails.update(principal, guardrail_id, body.sent())))


@router.delete("/{guardrail_id}")
async def delete(guardrail_id: str, services: WithServices, principal: Remover) -> Answer:
    """Remove it with its versions; refused while it is attached."""
    await services.guardrails.delete(principal, guardrail_id)
    return done()
