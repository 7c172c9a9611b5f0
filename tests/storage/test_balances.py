"""Where allowances stand that the ledger does not count, on both engines."""

from functools import partial

import pytest

from headgate.ledger.allowance import LIFETIME, Allowance, Resource, Scope, Window
from headgate.ledger.ledger import LocalLedger
from headgate.storage.balances import Balances
from headgate.storage.database import Database
from headgate.storage.past_use import past_use, past_uses
from tests.storage.test_past_use import made, written
from tests.support.ledger import DAY, MONTH, NOON, KeptEntries, ManualClock

OWNERS = (
    "organization:org",
    "workspace:workspace",
    "tenant:tenant",
    "api_key:key",
    "integration:integration:workspace",
)


def budget(owner: str, resource: Resource, window: Window, since: int = 0) -> Allowance:
    kind, _, scope_id = owner.partition(":")
    name = f"{owner}:{resource}:{window.kind}:{since}"
    return Allowance(name, Scope(kind, scope_id), resource, window, 1_000, since)


EVERY = [
    budget(owner, resource, window, since)
    for owner in OWNERS
    for resource in (Resource.COST, Resource.TOKENS, Resource.REQUESTS)
    for window in (LIFETIME, MONTH, DAY)
    for since in (0, NOON - 5)
]


async def test_many_at_once_are_the_same_as_one_by_one(database: Database) -> None:
    """Whoever owns them, in whatever window, reset or not; of another's records nothing is in them."""
    ours = [made(number, NOON - number, tenant_id="tenant") for number in range(10)]
    others = [made(100 + number, NOON - number, key_id="other", workspace_id="other") for number in range(3)]
    await written(database, [*ours, *others])
    together = await database.read(lambda connection: past_uses(connection, EVERY, NOON))
    for each in EVERY:
        assert together[each.id] == await database.read(partial(past_use, allowance=each, now=NOON))
    of_key = {each.id: sum(amount for _, amount in together[each.id]) for each in EVERY if each.scope.kind == "api_key"}
    assert of_key[f"api_key:key:cost:calendar:{NOON - 5}"] == 600
    assert of_key["api_key:key:cost:lifetime:0"] == 1_000
    assert of_key["api_key:key:requests:lifetime:0"] == 10


async def test_nothing_is_loaded_by_looking(database: Database) -> None:
    """The ledger goes on to know only what calls asked for; what it counts is told from it."""
    await written(database, [made(1, NOON)])
    ledger = LocalLedger(ManualClock(), KeptEntries())
    loaded, other = (budget("api_key:key", resource, MONTH) for resource in (Resource.COST, Resource.TOKENS))
    ledger.restore(loaded, [(NOON, 7)])
    waited = []

    async def write() -> None:
        waited.append(True)

    balances = Balances(database, ledger, write, ManualClock())
    of_loaded, of_other = await balances([loaded, other])
    assert (of_loaded.used, of_other.used, of_other.held, of_other.left) == (7, 12, 0, 988)
    assert of_loaded.resets_at == of_other.resets_at is not None
    assert other.id not in ledger
    assert waited == [True]
    await balances([loaded])
    assert waited == [True]


@pytest.mark.parametrize("window", [LIFETIME, MONTH])
async def test_a_cap_that_was_lowered_leaves_nothing(database: Database, window: Window) -> None:
    """And not less than nothing."""
    await written(database, [made(number, NOON) for number in range(11)])
    balances = Balances(database, LocalLedger(ManualClock(), KeptEntries()), _nothing_waits, ManualClock())
    (found,) = await balances([budget("api_key:key", Resource.COST, window)])
    assert (found.used, found.left) == (1_100, 0)


async def _nothing_waits() -> None:
    """All is written."""
