"""The books as the data plane keeps them: the ledger decides, the usage writer files what was settled."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from headgate.base.errors import Unavailable
from headgate.ledger.allowance import Allowance, Amounts
from headgate.ledger.hold import Denied, Held, Ledger, Settled
from headgate.ledger.record import UsageRecord
from headgate.storage.journal import FileJournal
from headgate.storage.usage_writer import UsageWriter

if TYPE_CHECKING:  # it brings the client of Redis, which is not there where nothing is shared
    from headgate.storage.shares.lender import Lender


class Books:
    """One per process. Every settled call's record is in the journal before it is here, so it survives this process.

    `on_exhausted` gets the budget that had not enough left for a call, whatever other calls may give back.
    """

    def __init__(
        self,
        ledger: Ledger,
        journal: FileJournal,
        writer: UsageWriter,
        on_exhausted: Callable[[Allowance], None] | None = None,
        lending: "Lender | None" = None,
    ) -> None:
        self._ledger = ledger
        self._writer = writer
        self._on_exhausted = on_exhausted
        self.durable = journal.durable
        self.extend = ledger.extend
        self.balances = ledger.balances
        self.standing = ledger.standing
        self.lefts = ledger.lefts
        self.rooms = ledger.rooms
        self.lending = lending

    def hold(self, request_id: str, allowances: Sequence[Allowance], amounts: Amounts) -> Held | Denied:
        """Raises `Unavailable` while too many settled calls wait for the database: what is spent must be written."""
        if self._writer.full:
            raise Unavailable(
                "Headgate takes no new calls: too many settled calls wait for the database.",
                code="database_behind",
                retry_after=1.0,
            )
        result = self._ledger.hold(request_id, allowances, amounts)
        if self._on_exhausted is not None and isinstance(result, Denied) and result.exhausted:
            self._on_exhausted(result.allowance)
        return result

    def dispatch(self, request_id: str, unheard: UsageRecord) -> None:
        self._ledger.dispatch(request_id, unheard)

    def settle(self, request_id: str, actual: Amounts, record: UsageRecord) -> None:
        """A call that was settled before is not written again."""
        if isinstance(self._ledger.settle(request_id, actual, record), Settled):
            self._writer.add(record)

    def void(self, request_id: str) -> None:
        self._ledger.void(request_id)
