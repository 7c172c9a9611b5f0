"""Customers of a simulated world: tenants that one service key acts for, each with limits, models and a way down."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from random import Random
from typing import Final

from headgate.base.errors import NotFound
from headgate.ledger.allowance import LIFETIME, Allowance, Resource, Scope
from headgate.ledger.record import UsageRecord
from headgate.tenancy.model_names import ModelNames
from headgate.tenancy.policy import Policy
from headgate.tenancy.tenant_policy import Downgrade, TenantPolicy
from tests.support.ledger import MINUTE

SERVICE: Final = "key3"
"""The key that acts for them. With another one a name changes nothing."""
TENANTS: Final = ("acme", "startup")
NOBODY: Final = "nobody"
WAY_DOWN: Final = {"sim-slow": "sim-reasoning", "sim-reasoning": "sim-fast", "sim-tools": "sim-fast"}
WALLED: Final = ("sim-fast", "sim-slow", "sim-tools", "sim-no-usage", "sim-embed")
"""All that the second one may use: a step of its way down is missing."""
DOWNGRADED: Final = "downgraded"


def allowances(pick: Callable[[int, int], int]) -> Iterable[Allowance]:
    """Theirs, of sizes that `pick` says."""
    for name in TENANTS:
        scope = Scope("tenant", name)
        yield Allowance(f"{name}:cost", scope, Resource.COST, LIFETIME, pick(500_000, 5_000_000))
        yield Allowance(f"{name}:tokens", scope, Resource.TOKENS, LIFETIME, pick(1_000, 9_000))
        yield Allowance(f"{name}:rate", scope, Resource.REQUESTS, MINUTE, pick(5, 30))


def acting(policy: Policy, name: str, of_tenants: Iterable[Allowance]) -> Policy:
    """What holds for the key while it acts for this one. Raises `NotFound`."""
    if name not in TENANTS:
        raise NotFound(f"There is no tenant {name}.", code="tenant_not_found")
    models = ModelNames(WALLED) if name == TENANTS[1] else None
    tenant = TenantPolicy(name, name, models=models, downgrade=Downgrade(400_000, WAY_DOWN))
    own = tuple(each for each in of_tenants if each.scope.id == name)
    return replace(policy, tenant_id=name, tenant=tenant, allowances=(*policy.allowances, *own))


def named(random: Random, share: float) -> str | None:
    """Whom a call is for; now and then somebody who is not there."""
    if random.random() >= share:
        return None
    return random.choice((*TENANTS, *TENANTS, *TENANTS, NOBODY))


def wrongs(records: Iterable[UsageRecord], asked_for: dict[str, str | None]) -> Iterable[str]:
    """`asked_for`: by the request id of a call, whom it was made for."""
    for record in records:
        one = record.request_id
        first = one.partition("-")[0]
        if first in asked_for and record.tenant_id != asked_for[first]:
            yield f"{one}: made for {asked_for[first]}, recorded as {record.tenant_id}'s"
        if record.tenant_id == TENANTS[1] and record.model not in WALLED and record.outcome != "provider_error":
            yield f"{one}: {record.tenant_id} may not use {record.model}"
        if DOWNGRADED in record.usage_flags and record.model not in WAY_DOWN.values():
            yield f"{one}: sent down from {record.model_asked} to {record.model}"
