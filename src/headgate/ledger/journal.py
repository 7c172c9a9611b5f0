"""What is written down before it is relied on: one entry per decision, in the order of the decisions.

The ledger appends; `storage.journal` keeps it on disk; `ledger.recovery` makes sense of what is found at start.
Every entry stands on its own: one that is read twice changes nothing.
"""

from typing import Protocol

import msgspec

from headgate.base.errors import Unavailable
from headgate.ledger.allowance import Amounts
from headgate.ledger.record import UsageRecord


class HoldEntry(msgspec.Struct, frozen=True, array_like=True, tag="hold"):
    """`amounts` were taken from the allowances with these ids at `at` (wall clock, nanoseconds)."""

    request_id: str
    at: int
    amounts: Amounts
    allowances: tuple[str, ...]


class DispatchEntry(msgspec.Struct, frozen=True, array_like=True, tag="dispatch"):
    """The call was about to leave for a provider. `unheard` is its record, should nothing more be heard of it."""

    request_id: str
    unheard: UsageRecord
    held: HoldEntry | None = None
    """How it was held; None: there is an entry of its own for that."""


class ExtendEntry(msgspec.Struct, frozen=True, array_like=True, tag="extend"):
    """The hold grew. `amounts` is all that it holds now, not the difference."""

    request_id: str
    amounts: Amounts


class SettleEntry(msgspec.Struct, frozen=True, array_like=True, tag="settle"):
    """The call is over. `at` and `allowances` are the hold's, so that this entry alone says what counts where."""

    request_id: str
    at: int
    actual: Amounts
    allowances: tuple[str, ...]
    record: UsageRecord


class VoidEntry(msgspec.Struct, frozen=True, array_like=True, tag="void"):
    """The hold was given back: nothing was billed."""

    request_id: str


Entry = HoldEntry | DispatchEntry | ExtendEntry | SettleEntry | VoidEntry


class JournalUnavailable(Unavailable):
    """The journal takes no new calls: its disk fails or is full, or settled calls wait too long for the database."""

    code = "journal_unavailable"


class Journal(Protocol):
    """Where entries go. `append` keeps them in memory, `flush` has them survive this process."""

    def admit(self) -> None:
        """Raises `JournalUnavailable` while no call may begin."""
        ...

    def append(self, entry: Entry) -> None:
        """Raises `JournalUnavailable` for a `HoldEntry` only: what was begun can always be ended."""
        ...

    def flush(self) -> None:
        """Raises `JournalUnavailable`; what was appended is kept, and written by the next flush that succeeds."""
        ...
