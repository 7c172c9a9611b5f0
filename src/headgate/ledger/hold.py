"""Holds: one call's claim on all its allowances, taken in one all-or-nothing step.

    held -> settled | voided, exactly once, by request id; extended any number of times while held
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from headgate.ledger.allowance import Allowance, Amounts


@dataclass(frozen=True, slots=True)
class Held:
    """Granted on every allowance."""

    request_id: str
    amounts: Amounts


@dataclass(frozen=True, slots=True)
class Denied:
    """Nothing was taken. Names the tightest allowance: the one that frees up last."""

    allowance: Allowance
    asked: int
    left: int
    exhausted: bool
    """True: settled use has reached the cap. False: holds of other calls, or a rate, stand in the way."""
    retry_after: float | None
    """Seconds until it may fit; None if it never can (asked more than the cap)."""
    resets_at: int | None
    """Wall clock, nanoseconds; None for a lifetime window."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Done now; `overage` is what went beyond the hold, in nano-dollars: recorded and counted, never dropped."""

    overage: int = 0


@dataclass(frozen=True, slots=True)
class AlreadySettled:
    """This request id was settled or voided before: success, and nothing was counted twice."""


class Ledger(Protocol):
    """The one decision maker, synchronous, as the data plane uses it."""

    def hold(self, request_id: str, allowances: Sequence[Allowance], amounts: Amounts) -> Held | Denied: ...

    def extend(self, request_id: str, more: Amounts) -> Held | Denied: ...

    def settle(self, request_id: str, actual: Amounts) -> Settled | AlreadySettled: ...

    def void(self, request_id: str) -> Settled | AlreadySettled: ...
