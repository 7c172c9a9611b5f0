"""Holds: one call's claim on all its allowances, taken in one all-or-nothing step.

held -> settled | voided, exactly once, by request id; extended any number of times while held
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from headgate.ledger.allowance import Allowance, Amounts
from headgate.ledger.balance import Balance
from headgate.ledger.bundle import Standing
from headgate.ledger.record import UsageRecord


class Held(msgspec.Struct, frozen=True):
    """Granted on every allowance."""

    request_id: str
    amounts: Amounts
    at: int = 0
    """Of a hold, not of an extension: when, and so in which periods it counts (wall clock, nanoseconds)."""


@dataclass(frozen=True, slots=True)
class Denied:
    """Nothing was taken. Names the tightest allowance: the one that frees up last."""

    allowance: Allowance
    asked: int
    left: int
    exhausted: bool
    """True: a budget that would not cover the call even if all others gave back what they hold (412).
    False: holds of other calls, or a rate, stand in the way (429)."""
    retry_after: float | None
    """Seconds until it may fit; None if it never can: more was asked than the cap, or a lifetime is spent."""
    resets_at: int | None
    """Wall clock, nanoseconds; None for a lifetime window."""
    by_calls: bool = False
    """True: it fits as soon as calls under way give back enough of what they hold."""
    used: int = 0
    """Settled and held, by all calls; more than the cap where that was lowered."""


class Settled(msgspec.Struct, frozen=True):
    """Done now; `overage` is what went beyond the hold, in nano-dollars: recorded and counted, never dropped."""

    overage: int = 0


class AlreadySettled(msgspec.Struct, frozen=True):
    """This request id was settled or voided before: success, and nothing was counted twice."""


class DuplicateHold(ValueError):
    """This request id holds already, or was resolved before. Nothing was taken."""


class UnknownHold(LookupError):
    """Nothing is held under this request id, and nothing that is still remembered was. Nothing was counted."""


class Ledger(Protocol):
    """The one decision maker, synchronous, as the data plane uses it.

    `hold`, `dispatch` and `extend` raise `JournalUnavailable` (503) when they cannot be written down: then nothing is
    held that was not held before, and after a failed `dispatch` nothing at all. `settle` and `void` always count.
    """

    def hold(self, request_id: str, allowances: Sequence[Allowance], amounts: Amounts) -> Held | Denied:
        """All of `amounts` on all of the allowances, or nothing. After `Denied` the id may be tried again.

        On disk once it is dispatched. Raises `DuplicateHold`.
        """
        ...

    def dispatch(self, request_id: str, unheard: UsageRecord) -> None:
        """The call leaves for a provider now; once this returns, that is on disk.

        `unheard` is the call's usage record as far as it is known: should this process die, it is what is recorded,
        at what the call held, as `recovered`. Call it again for another target. Raises `UnknownHold`.
        """
        ...

    def extend(self, request_id: str, more: Amounts) -> Held | Denied:
        """Tokens and cost beyond what is held: all or nothing. `Held` then names the sum. Raises `UnknownHold`."""
        ...

    def settle(self, request_id: str, actual: Amounts, record: UsageRecord) -> Settled | AlreadySettled:
        """What the call took in truth; what was held beyond it is free at once. Raises `UnknownHold`."""
        ...

    def void(self, request_id: str) -> Settled | AlreadySettled:
        """Nothing was billed: all that was held is free at once, the request too. Raises `UnknownHold`."""
        ...

    def balances(self, allowances: Sequence[Allowance]) -> list[Balance]:
        """Where each stands, in the order asked."""
        ...

    def standing(self, allowances: Sequence[Allowance]) -> Standing:
        """Where a caller of these stands."""
        ...

    def lefts(self, allowances: Sequence[Allowance]) -> list[int]:
        """What is left of each, in the order asked; below zero where a cap was lowered."""
        ...

    def rooms(self, allowances: Sequence[Allowance]) -> list[int]:
        """What can be held of each here and now, in the order asked: what is left, where nothing is shared."""
        ...
