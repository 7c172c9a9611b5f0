"""Where budgets stand: what is used, held and left of each, for those who administer them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from headgate.base.clock import Clock
from headgate.ledger.allowance import Allowance
from headgate.ledger.balance import Balance
from headgate.ledger.period import Period, period_of
from headgate.tenancy.limits import UTC, UsageLimit
from headgate.tenancy.owner import LimitOwner, budgets_of
from headgate.tenancy.stores import Transactions


class Balances(Protocol):
    """Where allowances stand, loaded in this process's ledger or not. Implemented in `storage.balances`."""

    async def __call__(self, allowances: Sequence[Allowance]) -> list[Balance]:
        """In the order asked. Raises `Unavailable` while settled calls wait for the database."""
        ...

    async def written(self) -> None:
        """Once it returns, all that was settled before is in the database. Raises `Unavailable`."""
        ...


@dataclass(frozen=True, slots=True)
class Budget:
    """A usage limit and where it stands now. Amounts of the balance are in the resource's unit."""

    limit: UsageLimit
    balance: Balance
    last_reset_at: int | None
    """When its present count began (wall clock, nanoseconds): the period's start, or the last reset by an
    administrator; None: it never began anew."""

    @property
    def exhausted(self) -> bool:
        """What is settled has come to the cap: no call will be let in before it resets or is raised."""
        return self.balance.used >= self.limit.cap


Budgets = tuple[Budget, ...]


class Standings:
    """The budgets of any number of owners in one go, so that a list costs little more than one of its items."""

    def __init__(self, transactions: Transactions, balances: Balances, clock: Clock) -> None:
        self._transactions = transactions
        self._balances = balances
        self._clock = clock

    async def of(self, organization_id: str, owners: Sequence[LimitOwner]) -> list[Budgets]:
        """Of each owner, all of one organization, its budgets in the order of its `usage_limits`."""
        if not any(owner.usage_limits for owner in owners):
            return [()] * len(owners)
        organization = await self._transactions.read(lambda stores: stores.organizations.get(organization_id))
        zone = organization.zone if organization is not None else UTC
        each_owners = [budgets_of(owner, zone) for owner in owners]
        limits = [limit for owner in owners for limit in owner.usage_limits]
        found = iter(await self.budgets(limits, [budget for its in each_owners for budget in its]))
        return [tuple(next(found) for _ in its) for its in each_owners]

    async def one(self, organization_id: str, owner: LimitOwner) -> Budgets:
        """The same for a single owner."""
        (found,) = await self.of(organization_id, [owner])
        return found

    async def budgets(self, limits: Sequence[UsageLimit], allowances: Sequence[Allowance]) -> list[Budget]:
        """Limits with the allowances that follow from them, in the order asked."""
        balances = await self._balances(allowances)
        now = self._clock.now()
        periods = {window: period_of(window, now) for window in {each.window for each in allowances}}
        return [
            Budget(limit, balance, _last_reset(balance.allowance, periods[balance.allowance.window]))
            for limit, balance in zip(limits, balances, strict=True)
        ]


def _last_reset(allowance: Allowance, period: Period) -> int | None:
    return max(period.start, allowance.since, 0) or None
