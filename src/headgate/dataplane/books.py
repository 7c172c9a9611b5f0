"""Ledger, journal and usage writer as one, as the data plane needs them. Implemented in `storage.books`."""

from collections.abc import Sequence
from typing import Protocol

from headgate.dataplane.lending import Lending
from headgate.ledger.allowance import Allowance, Amounts
from headgate.ledger.balance import Balance
from headgate.ledger.bundle import Standing
from headgate.ledger.hold import Denied, Held
from headgate.ledger.record import UsageRecord


class Books(Protocol):
    """See `ledger.hold.Ledger` for what holds."""

    @property
    def lending(self) -> Lending | None:
        """Where processes share allowances; None: there is only this one."""
        ...

    def hold(self, request_id: str, allowances: Sequence[Allowance], amounts: Amounts) -> Held | Denied:
        """All or nothing. Raises `Unavailable` while too many settled calls wait for the database."""
        ...

    def dispatch(self, request_id: str, unheard: UsageRecord) -> None:
        """Once it returns, hold and intent are on disk: should nothing more be heard of the call, `unheard` is its
        record. Raises `JournalUnavailable`, and then nothing is held."""
        ...

    async def durable(self) -> None:
        """Once it returns, the disk itself has what was dispatched, where the settings ask for that (`journal_sync`);
        at once where they do not. Raises `JournalUnavailable`; the hold then still has to be given back."""
        ...

    def extend(self, request_id: str, more: Amounts) -> Held | Denied:
        """Tokens and cost beyond what is held: all or nothing. Raises `JournalUnavailable`."""
        ...

    def settle(self, request_id: str, actual: Amounts, record: UsageRecord) -> None:
        """Counts it and records it, once per request id."""
        ...

    def void(self, request_id: str) -> None:
        """Nothing was billed: give everything back."""
        ...

    def balances(self, allowances: Sequence[Allowance]) -> list[Balance]:
        """Where each stands, in the order asked."""
        ...

    def standing(self, allowances: Sequence[Allowance]) -> Standing:
        """Where a caller of these stands."""
        ...

    def lefts(self, allowances: Sequence[Allowance]) -> list[int]:
        """What is left of each, in the order asked."""
        ...

    def rooms(self, allowances: Sequence[Allowance]) -> list[int]:
        """What can be held of each here and now, in the order asked."""
        ...
