"""Where allowances stand: from the ledger where it counts them, else from what was settled."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial

from headgate.base.clock import Clock
from headgate.base.errors import Unavailable
from headgate.ledger.allowance import Allowance, Resource, WindowKind
from headgate.ledger.balance import Balance
from headgate.ledger.ledger import LocalLedger
from headgate.ledger.period import NEVER, period_of
from headgate.storage.database import Database
from headgate.storage.past_use import past_uses
from headgate.storage.restoring import Written


class Balances:
    """A `tenancy.standing.Balances`. What the ledger does not count, no call under way in this process holds of.

    Where processes share allowances, `refresh` brings what the ledger counts up to date with what others used."""

    def __init__(
        self,
        database: Database,
        ledger: LocalLedger,
        written: Written,
        clock: Clock,
        refresh: Callable[[Sequence[Allowance]], Awaitable[None]] | None = None,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._written = written
        self._clock = clock
        self._refresh = refresh

    async def written(self) -> None:
        await self._written()

    async def __call__(self, allowances: Sequence[Allowance]) -> list[Balance]:
        missing = [each for each in allowances if each.id not in self._ledger]
        settled: dict[str, int] = {}
        if missing:
            await self.written()
            now = self._clock.now()
            found = await self._database.read(partial(past_uses, allowances=missing, now=now))
            settled = {name: sum(amount for _, amount in uses) for name, uses in found.items()}
        counted = [each for each in allowances if each.id in self._ledger]
        if self._refresh is not None and counted:
            with suppress(Unavailable):  # then they stand where they stood when they were last heard of
                await self._refresh(counted)
        from_ledger = {balance.allowance.id: balance for balance in self._ledger.balances(counted)}
        resets = _Resets(self._clock.now())
        return [
            from_ledger.get(each.id) or _balance(each, settled.get(each.id, 0), resets.of(each)) for each in allowances
        ]


class _Resets:
    """When budgets reset next; worked out once for all that have the same window."""

    def __init__(self, now: int) -> None:
        self._now = now
        self._known: dict[object, int | None] = {}

    def of(self, allowance: Allowance) -> int | None:
        window = allowance.window
        if window.kind is WindowKind.SLIDING or allowance.resource is Resource.IN_FLIGHT:
            return None
        if window not in self._known:
            end = period_of(window, self._now).end
            self._known[window] = None if end >= NEVER else end
        return self._known[window]


def _balance(allowance: Allowance, used: int, resets_at: int | None) -> Balance:
    return Balance(allowance, used, 0, max(allowance.cap - used, 0), resets_at)
