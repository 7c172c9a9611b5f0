"""The simulator's books and the gateway's, side by side, one row per request id."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from headgate.base.usage import UsageSource
from headgate.ledger.record import UsageRecord
from headgate.simulator.books import Bill


@dataclass(frozen=True, slots=True)
class Row:
    """One call in both books. `difference` is empty where they agree.

    An estimated record must not be below what was billed, and need not be equal to it.
    """

    request_id: str
    bill: Bill | None
    record: UsageRecord | None
    difference: str

    @property
    def estimated(self) -> bool:
        return self.record is not None and self.record.usage_source == UsageSource.ESTIMATED


def join(bills: Mapping[str, Bill], records: Iterable[UsageRecord]) -> list[Row]:
    """A row for every request id that either book has, in the order of time (request ids sort by it)."""
    recorded = {record.request_id: record for record in records}
    return [_row(one, bills.get(one), recorded.get(one)) for one in sorted(bills.keys() | recorded.keys())]


def _row(request_id: str, bill: Bill | None, record: UsageRecord | None) -> Row:
    return Row(request_id, bill, record, _difference(bill, record))


def _difference(bill: Bill | None, record: UsageRecord | None) -> str:
    if record is None:
        return "billed, and not recorded"
    if bill is None:
        return "recorded, and never asked of the provider"
    used = {meter: count for meter, count in record.usage.items() if count}
    if record.usage_source == UsageSource.ESTIMATED:
        short = sorted(meter for meter, count in bill.usage.items() if used.get(meter, 0) < count)
        return f"estimated below what was billed: {', '.join(short)}" if short else ""
    if used == bill.usage:
        return ""
    unequal = sorted(meter for meter in used.keys() | bill.usage.keys() if used.get(meter) != bill.usage.get(meter))
    return f"not the same: {', '.join(unequal)}"
