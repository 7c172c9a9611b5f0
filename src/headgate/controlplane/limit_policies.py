"""`/policies/usage-limits` and `/policies/rate-limits`: limits on groups of calls."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from headgate.controlplane.answers import Answer, done, listing
from headgate.controlplane.caller import AuthenticatedRoute, WithServices, needs
from headgate.controlplane.limit_policy_bodies import (
    NewRatePolicy,
    NewUsagePolicy,
    RatePolicyChange,
    UsagePolicyChange,
    group,
    made,
    shown,
    usage_map,
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
Status = Annotated[
    Literal["active", "archived"] | None, Query(description="All are active: one that is removed is gone.")
]
WithUsage = Annotated[bool, Query(description="Adds `value_key_usage_map`: what each group used, by its value.")]


@usage.post("")
async def create_usage(body: NewUsagePolicy, services: WithServices, principal: Creator) -> Answer:
    """Make a budget for each group of calls."""
    return Answer(made(await services.limit_policies.create(principal, LimitKind.USAGE, body.sent())))


@usage.put("/{policy_id}")
async def update_usage(policy_id: str, body: UsagePolicyChange, services: WithServices, principal: Changer) -> Answer:
    """Change what is sent. `reset_usage` starts all its groups again from zero, `reset_usage_for_value` one of them."""
    fields = body.sent()
    value = fields.pop("reset_usage_for_value", None)
    if value is not None:
        await services.policy_groups.reset(principal, LimitKind.USAGE, policy_id, value)
    if fields or value is None:
        found = await services.limit_policies.update(principal, LimitKind.USAGE, policy_id, fields)
    else:
        found = await services.limit_policies.get(principal, LimitKind.USAGE, policy_id)
    return Answer(shown(found, services.clock.now()))


@rates.post("")
async def create_rate(body: NewRatePolicy, services: WithServices, principal: Creator) -> Answer:
    """Make a rate limit for each group of calls."""
    return Answer(made(await services.limit_policies.create(principal, LimitKind.RATE, body.sent())))


@rates.put("/{policy_id}")
async def update_rate(policy_id: str, body: RatePolicyChange, services: WithServices, principal: Changer) -> Answer:
    """Change what is sent."""
    found = await services.limit_policies.update(principal, LimitKind.RATE, policy_id, body.sent())
    return Answer(shown(found, services.clock.now()))


def _alike(router: APIRouter, kind: LimitKind) -> None:
    """What is the same for both kinds. An operation's name says which it is of."""

    @router.get("", name=f"find_{kind}")
    async def find(
        services: WithServices,
        page: Paged,
        principal: Lister,
        workspace_id: str | None = None,
        status: Status = None,
        resource: Annotated[str | None, Query(alias="type")] = None,
        unit: str | None = None,
    ) -> Answer:
        """All of them, or those of a workspace, a `type`, a `unit`; for a workspace's key those of its workspace."""
        if status == "archived":
            return listing([], 0)
        found, total = await services.limit_policies.find(
            principal, kind, page, workspace=workspace_id, resource=resource, unit=unit
        )
        now = services.clock.now()
        return listing([shown(each, now) for each in found], total)

    @router.get("/{policy_id}", name=f"get_{kind}")
    async def get(
        policy_id: str, services: WithServices, principal: Reader, include_usage: WithUsage = False
    ) -> Answer:
        """One of them."""
        if not include_usage:
            return Answer(shown(await services.limit_policies.get(principal, kind, policy_id), services.clock.now()))
        policy, groups, _ = await services.policy_groups.find(principal, kind, policy_id)
        return Answer(shown(policy, services.clock.now()) | {"value_key_usage_map": usage_map(groups)})

    @router.delete("/{policy_id}", name=f"delete_{kind}")
    async def delete(policy_id: str, services: WithServices, principal: Remover) -> Answer:
        """Remove it: it limits nothing from the next call on."""
        await services.limit_policies.delete(principal, kind, policy_id)
        return done()

    @router.get("/{policy_id}/entities", name=f"entities_{kind}")
    async def entities(policy_id: str, services: WithServices, page: Paged, principal: Reader) -> Answer:
        """Its groups: what each used in the present period, and what is left."""
        policy, found, total = await services.policy_groups.find(principal, kind, policy_id, page)
        return listing([group(policy, each) for each in found], total)

    @router.put("/{policy_id}/entities/{entity_id}/reset", name=f"reset_{kind}")
    async def reset(policy_id: str, entity_id: str, services: WithServices, principal: Changer) -> Answer:
        """Begin anew with one group, by its id or its value: what it used before counts no longer."""
        await services.policy_groups.reset(principal, kind, policy_id, entity_id)
        return done()


_alike(usage, LimitKind.USAGE)
_alike(rates, LimitKind.RATE)
