"""Judges a world of the whole gateway by the provider's books, the usage records and what the customers saw."""

from collections import Counter
from collections.abc import Iterable

from headgate.ledger.allowance import Resource, WindowKind
from headgate.ledger.period import period_of
from tests.sim import tenants
from tests.sim.gateway import DEARER, INPUT_NANOS, OUTPUT_NANOS, World
from tests.sim.life import amounts_of, belongs
from tests.support.money_oracle import Recorded, Told, wrongs
from tests.support.money_oracle import billed as due


def verdict(world: World) -> list[str]:
    """Everything that breaks a guarantee, in words. Empty is good."""
    records = [Recorded.of(record) for record in world.rows.records.values()]
    told = Told(world.tally.refused, world.tally.answered, world.tally.costs, world.tally.unwritten)
    bills = world.provider.journal.bills()
    found = wrongs(bills, records, told, input_nanos=INPUT_NANOS, output_nanos=OUTPUT_NANOS, dearer=DEARER)
    found += tenants.wrongs(world.rows.records.values(), world.tally.made_for)
    if world.still_held:
        found.append(f"{world.still_held} calls still hold something")
    return [*world.wrongs, *found, *_balances(world), *_caps(world)]


def _balances(world: World) -> Iterable[str]:
    """What the ledger says was used is what the usage records add up to."""
    now = world.clock.now()
    for balance in world.balances:
        allowance = balance.allowance
        if balance.held:
            yield f"{allowance.id} still holds {balance.held}"
        if allowance.window.kind is WindowKind.SLIDING or allowance.resource is Resource.IN_FLIGHT:
            continue
        start = period_of(allowance.window, now).start
        counting = (record for record in world.rows.records.values() if record.started_at >= start)
        used = sum(amounts_of(record).of(allowance.resource) for record in counting if belongs(record, allowance))
        if used != balance.used:
            yield f"{allowance.id}: {balance.used} in the ledger, {used} in the records"


def _caps(world: World) -> Iterable[str]:
    """No more was billed in any period than the highest cap of its time."""
    if world.faults.lies:
        return
    bills = world.provider.journal.bills()
    for allowance in world.allowances.values():
        if allowance.resource is not Resource.COST:
            continue
        billed: Counter[int] = Counter()
        for record in world.rows.records.values():
            if belongs(record, allowance) and (bill := bills.get(record.request_id)) is not None:
                start = period_of(allowance.window, record.started_at).start
                billed[start] += due(bill, INPUT_NANOS, OUTPUT_NANOS, DEARER)
        for start, amount in billed.items():
            if amount > world.ceilings[allowance.id]:
                yield f"{allowance.id}: {amount} of {world.ceilings[allowance.id]} billed in the period from {start}"
