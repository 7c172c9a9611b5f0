"""Who owns limits, and the allowances that follow from what an owner has."""

from dataclasses import replace
from typing import TypeVar

from headgate.ledger.allowance import Allowance, Scope
from headgate.tenancy.api_key import ApiKey
from headgate.tenancy.integration import Provisioning
from headgate.tenancy.limits import Zone, allowances, newly_set
from headgate.tenancy.organization import Organization
from headgate.tenancy.provider import WorkspaceProvider
from headgate.tenancy.tenant import Tenant
from headgate.tenancy.workspace import Workspace

LimitOwner = Organization | Workspace | Tenant | ApiKey | Provisioning | WorkspaceProvider


def scope_of(owner: LimitOwner, name: str = "") -> Scope:
    """What the owner is to the ledger. `name` is for those without one of their own."""
    match owner:
        case Organization():
            return Scope("organization", owner.id, owner.name)
        case Workspace():
            return Scope("workspace", owner.id, owner.slug)
        case Tenant():
            return Scope("tenant", owner.id, owner.slug)
        case ApiKey():
            return Scope("api_key", owner.id, owner.name)
        case Provisioning():
            return Scope("integration", f"{owner.integration_id}:{owner.workspace_id}", name)
        case WorkspaceProvider():
            # By its slug, which is all that a usage record says of it.
            return Scope("provider", f"{owner.workspace_id}:{owner.slug}", owner.slug)


def budgets_of(owner: LimitOwner, zone: Zone) -> tuple[Allowance, ...]:
    """One for each usage limit, in their order."""
    return allowances(scope_of(owner), owner.usage_limits, (), zone=zone, usage_reset_at=owner.usage_reset_at)


def allowances_of(owner: LimitOwner, zone: Zone, name: str = "") -> tuple[Allowance, ...]:
    """One for each usage limit, then one for each rate limit."""
    return allowances(
        scope_of(owner, name),
        owner.usage_limits,
        owner.rate_limits,
        zone=zone,
        usage_reset_at=owner.usage_reset_at,
    )


T = TypeVar("T", Organization, Workspace, Tenant, ApiKey, Provisioning, WorkspaceProvider)


def changed(before: T, after: T, now: int) -> T:
    """`after`, which takes the place of `before`: every service that changes an owner passes it through here. Limits
    that were not in force before are marked as set now."""
    return replace(
        after,
        usage_limits=newly_set(after.usage_limits, before.usage_limits, now),
        rate_limits=newly_set(after.rate_limits, before.rate_limits, now),
    )
