"""Sums as the contract tells them: money in cents, latencies in milliseconds, rates in percent."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from headgate.analytics import latency
from headgate.analytics.calls import Sums
from headgate.base.clock import NANOS_PER_MS

_MILLISECOND = Decimal(NANOS_PER_MS)


def cents(nanos: int) -> Decimal:
    """Exact."""
    return Decimal(nanos).scaleb(-7).normalize() + 0 if nanos else Decimal(0)


def ratio(part: int | Decimal, whole: int, places: int = 4) -> Decimal:
    """0 of nothing."""
    return round(Decimal(part) / whole, places) if whole else Decimal(0)


def milliseconds(nanoseconds: int) -> Decimal:
    """To the microsecond."""
    return round(Decimal(nanoseconds) / _MILLISECOND, 3)


def merged(sums: Iterable[Sums]) -> Sums:
    """All of them together."""
    found = Sums()
    for each in sums:
        found.add(each)
    return found


def latencies(sums: Sums) -> dict[str, Any]:
    """Mean and percentiles in milliseconds; the mean is exact, percentiles are as exact as the histogram."""
    return {"avg": ratio(milliseconds(sums.took), sums.calls, 3), **_percentiles(sums.latencies)}


def first_bytes(sums: Sums) -> dict[str, Any]:
    """Percentiles of the time to the first byte, of those calls that came to one."""
    return _percentiles(sums.first_bytes)


def _percentiles(text: str) -> dict[str, Any]:
    histogram = latency.read(text)
    return {f"p{percent}": milliseconds(latency.percentile(histogram, percent)) for percent in (50, 90, 99)}
