"""The provider's books, the gateway's records and what the callers saw, joined call by call: what does not fit?"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from headgate.base import usage as meters
from headgate.ledger.record import UsageRecord
from headgate.simulator.books import Bill

INPUT_NANOS: Final = 10_000
OUTPUT_NANOS: Final = 20_000
"""A token's price at `tests.support.gateway.custom_model`."""
RECOVERED: Final = "recovered"
EVEN: Final[Mapping[str, int]] = {}
"""No model is dearer than another."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A usage record, as far as it is about money."""

    request_id: str
    usage: Mapping[str, int]
    source: str
    outcome: str
    cost: int
    lies: bool = False
    """The provider's figures were mended: they are not what it billed."""

    @classmethod
    def of(cls, record: UsageRecord) -> "Recorded":
        lies = record.model == "sim-usage-lies"
        return cls(record.request_id, record.usage, record.usage_source, record.outcome, record.cost, lies)

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> "Recorded":
        lies = row["model"] == "sim-usage-lies"
        return cls(row["request_id"], row["usage"], row["usage_source"], row["outcome"], row["cost"], lies)


@dataclass(frozen=True, slots=True)
class Told:
    """What callers were told: refused by the gateway itself, answered in full, and what an answer cost (nanos)."""

    refused: Collection[str] = ()
    answered: Collection[str] = ()
    costs: Mapping[str, int] = field(default_factory=dict)
    unwritten: Collection[str] = ()
    """Calls that ended because the disk did not take their next hold: what refused them before, unbilled, has no record
    (docs/decisions/0014)."""


def cost(usage: Mapping[str, int], input_nanos: int = INPUT_NANOS, output_nanos: int = OUTPUT_NANOS) -> int:
    """What the provider bills for it, in nano-dollars."""
    return tokens(usage, meters.INPUT_METERS) * input_nanos + tokens(usage, meters.OUTPUT_METERS) * output_nanos


def billed(bill: Bill, input_nanos: int, output_nanos: int, dearer: Mapping[str, int] = EVEN) -> int:
    """What the provider bills, in nano-dollars."""
    calls = ((dearer.get(call.intent.model, 1), call.usage) for call in bill.calls)
    return sum(times * cost(usage, input_nanos, output_nanos) for times, usage in calls)


def tokens(usage: Mapping[str, int], which: Iterable[str]) -> int:
    return sum(usage.get(meter, 0) for meter in which)


def wrongs(
    bills: Mapping[str, Bill],
    records: Iterable[Recorded],
    told: Told,
    *,
    input_nanos: int = INPUT_NANOS,
    output_nanos: int = OUTPUT_NANOS,
    dearer: Mapping[str, int] = EVEN,
) -> list[str]:
    """Everything that breaks a promise, a line each. Empty is good. `dearer`: models that cost so much more."""
    by_id = {record.request_id: record for record in records}
    gone_on = {_call_of(one) for one in bills.keys() | by_id.keys() if _call_of(one) != one}.union(told.unwritten)
    found = [
        f"{one}: reached the provider, never recorded"
        for one in bills.keys() - by_id.keys()
        if bills[one].usage or _call_of(one) not in gone_on  # a target that refused, and another one was tried
    ]
    found += [f"{one}: answered, never recorded" for one in told.answered if one not in by_id]
    found += [f"{one}: refused, and recorded" for one in told.refused if one in by_id]
    found += [f"{one}: refused, and sent to the provider" for one in told.refused if one in bills]
    for one, record in by_id.items():
        bill = bills.get(one)
        if bill is None:
            if record.source == "provider" and record.usage:
                found.append(f"{one}: never reached the provider, and recorded as its word")
            continue
        found += _against(bill, record, billed(bill, input_nanos, output_nanos, dearer))
    for one, amount in told.costs.items():
        recorded = by_id.get(one)
        if recorded is None or recorded.cost == amount or (recorded.outcome == RECOVERED and recorded.cost > amount):
            continue
        found.append(f"{one}: told that it cost {amount}, recorded at {recorded.cost}")
    return found


def _call_of(request_id: str) -> str:
    """The first request id of a call with several targets: those that follow are numbered."""
    return request_id.partition("-")[0]


def _against(bill: Bill, record: Recorded, due: int) -> Iterable[str]:
    one = record.request_id
    if (times := sum(1 for call in bill.calls if call.usage)) > 1:
        yield f"{one}: billed {times} times"
    if record.lies:
        return
    used = {meter: count for meter, count in record.usage.items() if count}
    if record.source == "provider":
        if used != bill.usage:
            yield f"{one}: billed {bill.usage}, recorded {used} ({record.outcome})"
        if record.cost != due:
            yield f"{one}: billed {due}, recorded at {record.cost}"
        return
    for which in (meters.INPUT_METERS, meters.OUTPUT_METERS):
        if tokens(used, which) < tokens(bill.usage, which):
            yield f"{one}: billed {bill.usage}, estimated at only {used} ({record.outcome})"
    if record.cost < due:
        yield f"{one}: billed {due}, recorded at only {record.cost}"
