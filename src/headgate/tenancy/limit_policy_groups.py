"""The groups of limit policies: what each used and what is left, and how to begin anew with one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from headgate.base.clock import NANOS_PER_SECOND
from headgate.ledger.allowance import Resource, Window, WindowKind
from headgate.ledger.balance import Balance
from headgate.ledger.period import period_of
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.limit_policies import record_change, visible_policy
from headgate.tenancy.limit_policy import LimitKind, LimitPolicy, Values
from headgate.tenancy.limits import Zone
from headgate.tenancy.page import Page
from headgate.tenancy.principal import Principal, not_found
from headgate.tenancy.standing import Balances
from headgate.tenancy.stores import Stores

EVERY_GROUP: Final = Page(limit=100_000)
NO_GROUP: Final = "*"
"""The value of the only group there is, of a policy that groups by nothing."""


@dataclass(frozen=True, slots=True)
class Group:
    """One counter of a policy. `balance` is in the resource's unit."""

    id: str
    values: Values
    balance: Balance
    last_reset_at: int | None
    """When an administrator began anew with it."""

    @property
    def exhausted(self) -> bool:
        return self.balance.used >= self.balance.allowance.cap

    @property
    def value(self) -> str:
        """What it is known by: its value of what the policy groups by, or several with commas between them."""
        return ", ".join("" if value is None else value for value in self.values) if self.values else NO_GROUP


class PolicyGroups:
    """A group is there once a call of it was recorded in the present period, or in the window of a rate."""

    def __init__(self, administration: Administration, balances: Balances) -> None:
        self._administration = administration
        self._balances = balances

    async def find(
        self, principal: Principal, kind: LimitKind, policy_id: str, page: Page = EVERY_GROUP
    ) -> tuple[LimitPolicy, Sequence[Group], int]:
        """The policy, a page of its groups, and how many there are."""
        await self._balances.written()
        now = self._administration.clock.now()

        def work(stores: Stores) -> tuple[LimitPolicy, Zone, Sequence[Values], int]:
            policy = visible_policy(stores, principal, kind, policy_id)
            organization = stores.organizations.get(policy.organization_id)
            assert organization is not None
            since = _since(policy, organization.zone, now)
            found, total = stores.limit_policies.groups(policy, since, page)
            return policy, organization.zone, found, total

        policy, zone, found, total = await self._administration.transactions.read(work)
        allowances = [policy.allowance(values, zone) for values in found]
        balances = await self._balances(allowances)
        return policy, [_group(policy, each, its) for each, its in zip(found, balances, strict=True)], total

    async def reset(self, principal: Principal, kind: LimitKind, policy_id: str, group_id: str) -> None:
        """Begin anew with one group, by its id or its value, from the next call on. Raises `NotFound`."""
        _, groups, _ = await self.find(principal, kind, policy_id)
        known = next((each for each in groups if each.id == group_id), None)
        known = known or next((each for each in groups if each.value == group_id), None)
        if known is None:
            raise not_found("group", group_id)
        group = known.id

        def work(change: Change) -> None:
            policy = visible_policy(change.stores, principal, kind, policy_id)
            resets: Mapping[str, int] = {**dict(policy.group_resets), group: change.now}
            after = replace(policy, group_resets=tuple(resets.items()), updated_at=change.now)
            change.stores.limit_policies.update(after)
            record_change(change, "update", after, {"reset_group": group, "name": policy.name})

        await self._administration.change(principal, work)


def _group(policy: LimitPolicy, values: Values, balance: Balance) -> Group:
    return Group(policy.group_id(values), values, balance, balance.allowance.since or None)


def _since(policy: LimitPolicy, zone: Zone, now: int) -> int:
    window = _window(policy, zone)
    if window.kind is WindowKind.SLIDING:
        return now - window.seconds * NANOS_PER_SECOND
    return max(period_of(window, now).start, 0)


def _window(policy: LimitPolicy, zone: Zone) -> Window:
    for rate in policy.rate_limits:
        # Of calls under way there are no records: those of the last minute tell which groups there are.
        return Window(WindowKind.SLIDING, seconds=60) if rate.resource is Resource.IN_FLIGHT else rate.window()
    (budget,) = policy.usage_limits
    return budget.window(zone)
