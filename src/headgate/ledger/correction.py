"""What a call came to that was recorded at an estimate, because nobody could know then."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from headgate.base.usage import UsageSource
from headgate.ledger.record import UsageRecord

CORRECTED: Final = "corrected"
"""The flag of a record whose figures are no longer those it was first written with, which it keeps as `held`."""


@dataclass(frozen=True, slots=True)
class Correction:
    """The figures of a `UsageRecord`, with the same names and units. `unpriced`: meters without a known price."""

    usage: Mapping[str, int]
    usage_raw: str
    cost: int
    cost_lines: tuple[tuple[str, int, int, int], ...]
    unpriced: tuple[str, ...] = ()

    def of(self, record: UsageRecord) -> UsageRecord:
        """The record as it is from now on."""
        kept = tuple(flag for flag in record.usage_flags if not flag.startswith("unpriced:") or ":terms:" in flag)
        return replace(
            record,
            usage=dict(self.usage),
            usage_source=UsageSource.PROVIDER,
            usage_flags=(*kept, *(f"unpriced:{meter}" for meter in self.unpriced), CORRECTED),
            usage_raw=self.usage_raw,
            cost=self.cost,
            cost_lines=self.cost_lines,
        )
