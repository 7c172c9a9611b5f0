"""Prices in integers and what a usage costs at them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from headgate.base import usage as meters
from headgate.base.usage import Usage

PER = 1_000_000
"""Prices are nano-dollars per this many units: per million tokens, per million searches."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Nano-dollars per million units, by meter. A meter that is absent is priced by the fallback of `rate`."""

    by_meter: Mapping[str, int]
    unknown: frozenset[str] = frozenset()
    """Meters that are known to have a price of their own, which is not known here: they do not fall back."""

    def rate(self, meter: str) -> int | None:
        """None: this meter has no known price, and what used it cannot be billed by guess."""
        wanted: str | None = meter
        while wanted is not None and wanted not in self.unknown:
            if (rate := self.by_meter.get(wanted)) is not None:
                return rate
            wanted = _FALLBACK.get(wanted)
        return None


_FALLBACK = {
    # Without a price of its own a special token costs what its plain kind costs: providers bill it as that.
    meters.CACHE_READ: meters.INPUT,
    meters.CACHE_WRITE: meters.INPUT,
    meters.CACHE_WRITE_1H: meters.CACHE_WRITE,
    meters.INPUT_AUDIO: meters.INPUT,
    meters.CACHE_READ_AUDIO: meters.INPUT_AUDIO,
    meters.INPUT_IMAGE: meters.INPUT,
    meters.REASONING: meters.OUTPUT,
    meters.OUTPUT_AUDIO: meters.OUTPUT,
    meters.OUTPUT_IMAGE: meters.OUTPUT,
}


STANDARD_TERMS: Final = frozenset({"auto", "default", "standard", "standard_only"})
"""What requests and answers call the terms of the standard price."""


@dataclass(frozen=True, slots=True, eq=False)
class Price:
    """One dated price row of one model. `id` is what a usage record keeps. Equal only to itself, so that what follows
    from it can be kept beside it.

    `tiers` are (input tokens above which the whole call is priced by these rates, rates), ascending: the providers'
    long-context tiers re-price all tokens of the call.
    """

    id: str
    provider: str
    model: str
    rates: Rates
    tiers: tuple[tuple[int, Rates], ...] = ()
    effective_from: int = 0
    """Nanoseconds since the epoch; the row applies from here until the next row of the same model."""
    source: str = ""
    variants: Mapping[str, "Price"] = field(default_factory=dict)
    """Prices of the same model under other terms, by the name the request and the answer have for them: `priority`,
    `flex`, `batch`, `fast`."""
    disputed: Mapping[str, int] = field(default_factory=dict)
    """Rates at which a second source differs, by meter. The price stands as it is; this is for showing."""

    def under(self, terms: str | None) -> "Price | None":
        """The price under the terms that a request or an answer names; None: those terms have no known price."""
        if terms is None or terms in STANDARD_TERMS:
            return self
        return self.variants.get(terms)

    def rates_at(self, input_tokens: int) -> Rates:
        chosen = self.rates
        for above, rates in self.tiers:
            if input_tokens > above:
                chosen = rates
        return chosen


class CostLine(msgspec.Struct, frozen=True):
    """`nanos = ceil(count * rate / 1,000,000)`."""

    meter: str
    count: int
    rate: int
    nanos: int


class Cost(msgspec.Struct, frozen=True):
    """What a call costs, line by line; `nanos` is the sum of the lines."""

    nanos: int
    lines: tuple[CostLine, ...] = ()
    price_id: str = ""
    unpriced: tuple[str, ...] = ()
    """Meters that were used and have no known price. Not empty means: the sum is a lower bound, and flagged."""


def cost_of(usage: Usage, price: Price) -> Cost:
    """The cost of one call's usage. Meters without a known price are listed, never silently free."""
    rates = price.rates_at(usage.input_tokens) if price.tiers else price.rates
    counts, by_meter = usage.counts, rates.by_meter
    if meters.REQUEST in by_meter and counts and meters.REQUEST not in counts:
        counts = {**counts, meters.REQUEST: 1}
    lines, unpriced, total = [], [], 0
    for meter, count in counts.items():
        if count == 0:
            continue
        rate = by_meter.get(meter)
        if rate is None or rates.unknown:
            rate = rates.rate(meter)
        if rate is None:
            unpriced.append(meter)
            continue
        nanos = -(-count * rate // PER)
        total += nanos
        lines.append(CostLine(meter, count, rate, nanos))
    return Cost(total, tuple(lines), price.id, tuple(unpriced))
