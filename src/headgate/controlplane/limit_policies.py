"""`/policies/usage-limits` and `/policies/rate-limits`: limits on groups of calls."""

from typing import Annotated

from fastapi import APIRouter

from headgate.controlplane.answers import Answer, done, listing
from headgate.controlplane.caller import AuthenticatedRoute, WithServices, needs
from headgate.controlplane.limit_policy_bodies import (
    NewRatePolicy,
    NewUsagePolicy,
    RatePolicyChange,
    UsagePolicyChange,
    made,
    shown,
)
from headgate.controlplane.paging import Paged
from headgate.tenancy.limit_policy import LimitKind
from headgate.tenancy.principal import Principal

usage = APIRouter(prefix="/policies/usage-limits", tags=["policies"], route_class=AuthenticatedRoute)
rates = APIRouter(prefix="/policies/rate-limits", tags=["policies"], route_class=AuthenticatedRoute)

Creator = Annotated[Principal, needs("policies.create")]
Lister = Annotated[Principal, needs("policies.list")]
Reader = Annotated[Principal, needs("policies.read")]
Changer = Annotated[Principal, needs("policies.update")]
Remover = Annotated[Principal, needs("policies.delete")]


@usage.post("")
async def create_usage(body: NewUsagePolicy, services: WithServices, principal: Creator) -> Answer:
    """Make a budget for each group of calls."""
    return Answer(made(await services.limit_policies.create(principal, LimitKind.USAGE, body.sent())))


@usage.get("")
async def find_usage(services: WithServices, page: Paged, principal: Lister, workspace_id: str | None = None) -> Answer:
    """All budgets on groups; for a workspace's key those of its workspace."""
    found, total = await services.limit_policies.find(principal, LimitKind.USAGE, page, workspace=workspace_id)
    now = services.clock.now()
    return listing([shown(each, now) for each in found], total)


@usage.get("/{policy_id}")
async def get_usage(policy_id: str, services: WithServices, principal: Reader) -> Answer:
    """One of them."""
    return Answer(shown(await services.limit_policies.get(principal, LimitKind.USAGE, policy_id), services.clock.now()))


@usage.put("/{policy_id}")
async def update_usage(policy_id: str, body: UsagePolicyChange, services: WithServices, principal: Changer) -> Answer:
    """Change what is sent; `reset_usage` starts all its groups again from zero."""
    found = await services.limit_policies.update(principal, LimitKind.USAGE, policy_id, body.sent())
    return Answer(shown(found, services.clock.now()))


@usage.delete("/{policy_id}")
async def delete_usage(policy_id: str, services: WithServices, principal: Remover) -> Answer:
    """Remove it: it limits nothing from the next call on."""
    await services.limit_policies.delete(principal, LimitKind.USAGE, policy_id)
    return done()


@rates.post("")
async def create_rate(body: NewRatePolicy, services: WithServices, principal: Creator) -> Answer:
    """Make a rate limit for each group of calls."""
    return Answer(made(await services.limit_policies.create(principal, LimitKind.RATE, body.sent())))


@rates.get("")
async def find_rates(services: WithServices, page: Paged, principal: Lister, workspace_id: str | None = None) -> Answer:
    """All rate limits on groups; for a workspace's key those of its workspace."""
    found, total = await services.limit_policies.find(principal, LimitKind.RATE, page, workspace=workspace_id)
    now = services.clock.now()
    return listing([shown(each, now) for each in found], total)


@rates.get("/{policy_id}")
async def get_rate(policy_id: str, services: WithServices, principal: Reader) -> Answer:
    """One of them."""
    return Answer(shown(await services.limit_policies.get(principal, LimitKind.RATE, policy_id), services.clock.now()))


@rates.put("/{policy_id}")
async def update_rate(policy_id: str, body: RatePolicyChange, services: WithServices, principal: Changer) -> Answer:
    """Change what is sent."""
    found = await services.limit_policies.update(principal, LimitKind.RATE, policy_id, body.sent())
    return Answer(shown(found, services.clock.now()))


@rates.delete("/{policy_id}")
async def delete_rate(policy_id: str, services: WithServices, principal: Remover) -> Answer:
    """Remove it: it limits nothing from the next call on."""
    await services.limit_policies.delete(principal, LimitKind.RATE, policy_id)
    return done()
