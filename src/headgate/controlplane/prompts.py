"""`/prompts`: stored prompts. Calls that are made from one are the data plane's (`/prompts/{id}/completions`)."""

from typing import Annotated

from fastapi import APIRouter

from headgate.controlplane.answers import Answer, done, listing
from headgate.controlplane.caller import AuthenticatedRoute, WithServices, needs
from headgate.controlplane.config_bodies import both
from headgate.controlplane.paging import Paged
from headgate.controlplane.prompt_bodies import (
    NewPrompt,
    PromptChange,
    PromptRendering,
    prompt,
    prompt_detail,
    prompt_made,
)
from headgate.tenancy.principal import Principal

router = APIRouter(prefix="/prompts", tags=["prompts"], route_class=AuthenticatedRoute)


@router.post("")
async def create(
    body: NewPrompt, services: WithServices, principal: Annotated[Principal, needs("prompts.create")]
) -> Answer:
    """Store a prompt in a workspace; its slug is made too."""
    return Answer(prompt_made(await services.prompts.create(principal, body.sent())))


@router.get("")
async def find(
    services: WithServices,
    page: Paged,
    principal: Annotated[Principal, needs("prompts.list")],
    workspace_id: str | None = None,
) -> Answer:
    """All prompts; for a workspace's key those of its workspace."""
    found, total = await services.prompts.find(principal, page, workspace=workspace_id)
    return listing([prompt(each) for each in found], total)


@router.get("/{prompt_id}")
async def get(prompt_id: str, services: WithServices, principal: Annotated[Principal, needs("prompts.read")]) -> Answer:
    """One prompt, by its slug or id, with the names of its variables."""
    return Answer(both(prompt_detail(await services.prompts.get(principal, prompt_id))))


@router.put("/{prompt_id}")
async def update(
    prompt_id: str,
    body: PromptChange,
    services: WithServices,
    principal: Annotated[Principal, needs("prompts.update")],
) -> Answer:
    """Change what is sent: a new version, which the next call has."""
    return Answer(prompt_made(await services.prompts.update(principal, prompt_id, body.sent())))


@router.delete("/{prompt_id}")
async def delete(
    prompt_id: str, services: WithServices, principal: Annotated[Principal, needs("prompts.delete")]
) -> Answer:
    """Remove it with its versions."""
    await services.prompts.delete(principal, prompt_id)
    return done()


@router.post("/{prompt_id}/render")
async def render(
    prompt_id: str,
    body: PromptRendering,
    services: WithServices,
    principal: Annotated[Principal, needs("prompts.render")],
) -> Answer:
    """The chat request that a call with these variables would make; nothing is sent."""
    return Answer({"success": True, "data": await services.prompts.render(principal, prompt_id, body.sent())})
