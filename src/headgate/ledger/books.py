"""The ledger and the usage records as one: what is settled is recorded, exactly once."""

from collections.abc import Sequence
from typing import Protocol

from headgate.base.errors import Unavailable
from headgate.ledger.allowance import Allowance, Amounts
from headgate.ledger.hold import Denied, Held, Ledger, Settled
from headgate.ledger.record import UsageRecord


class Records(Protocol):
    """Where usage records go; see `storage.usage_writer`."""

    @property
    def full(self) -> bool:
        """Too many wait for the database."""
        ...

    def add(self, record: UsageRecord) -> None: ...


class Books:
    """What the data plane keeps its calls in."""

    def __init__(self, ledger: Ledger, records: Records) -> None:
        self._ledger = ledger
        self._records = records
        self.dispatch = ledger.dispatch
        self.void = ledger.void

    def hold(self, request_id: str, allowances: Sequence[Allowance], amounts: Amounts) -> Held | Denied:
        """As `Ledger.hold`; raises `Unavailable` while too many records wait for the database."""
        if self._records.full:
            raise Unavailable(
                "The gateway takes no new calls until its database has caught up.", code="usage_backlog", retry_after=1
            )
        return self._ledger.hold(request_id, allowances, amounts)

    def settle(self, request_id: str, actual: Amounts, record: UsageRecord) -> None:
        """Counts and records it; the second time, neither."""
        if isinstance(self._ledger.settle(request_id, actual, record), Settled):
            self._records.add(record)
