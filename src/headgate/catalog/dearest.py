"""The usage that costs most among all that a provider could report within a bound.

Cache writes count where the request or the provider makes them, sound and pictures where there are any, every price
tier that the input can reach, and the dearer of the terms that the request asks for and the standard ones, because a
provider may fall back to those.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

from headgate.base import usage as meters
from headgate.base.money import ceil_div
from headgate.base.usage import Usage, UsageSource
from headgate.catalog.price import PER, STANDARD_TERMS, Cost, CostLine, Price, Rates

_TERMS: Final = ("service_tier", "speed")
_SURCHARGES: Final = {"inference_geo": "global"}
"""Members whose other values cost more by a factor that no source has."""
_TERM_MEMBERS: Final = frozenset({*_TERMS, *_SURCHARGES})
_RATE: Final = itemgetter(0)
_SPECIAL_OUTPUT: Final = (meters.OUTPUT_IMAGE, meters.OUTPUT_AUDIO)


@dataclass(frozen=True, slots=True)
class Offers:
    """The prices of which any may be charged; none for a model without a price."""

    prices: tuple[Price, ...]
    terms: str | None = None
    unknown: str = ""
    """Why other prices may be charged that are not known; empty if none may."""


@dataclass(frozen=True, slots=True)
class Worst:
    """The dearest usage and its cost; `unknown` says what of it has no known price, empty if nothing."""

    usage: Usage
    cost: Cost
    unknown: str = ""


def offers_of(request: Mapping[str, Any], price: Price | None) -> Offers:
    """Read the terms of a decoded request."""
    if price is None:
        return Offers(())
    if _TERM_MEMBERS.isdisjoint(request):
        return Offers((price,))
    asked = [value for member in _TERMS if (value := request.get(member)) and value not in STANDARD_TERMS]
    terms = str(asked[0]) if asked else None
    variant = price.under(terms) if len(asked) < 2 else None
    if variant is None:
        return Offers((price,), terms, f"there is no known price for `{' '.join(map(str, asked))[:60]}` terms")
    for member, plain in _SURCHARGES.items():
        if request.get(member) not in (None, plain):
            return Offers((price, variant), terms, f"what `{member}` adds to the price is not known")
    return Offers((price,) if variant is price else (price, variant), terms)


def spoken(request: Mapping[str, Any]) -> bool:
    """Whether the answer may be sound."""
    return bool(request.get("audio")) or "audio" in str(request.get("modalities", "")).lower()


def dearest_usage(
    offers: Offers,
    input_tokens: int,
    output_tokens: int,
    input_meters: tuple[str, ...],
    sound: bool,
    fees: Mapping[str, int],
) -> Worst:
    """`input_meters` are those under which the provider may count the input; `fees` the uses of hosted tools."""
    worst: Worst | None = None
    for price in offers.prices:
        for most, rates in _segments(price, input_tokens):
            candidate = _worst_at(price, rates, most, output_tokens, input_meters, sound, fees)
            if worst is None or (candidate.unknown, candidate.cost.nanos) > (worst.unknown, worst.cost.nanos):
                worst = candidate
    if worst is None:
        counts = {meters.INPUT: input_tokens, meters.OUTPUT: output_tokens, **fees}
        unpriced = Cost(0, unpriced=tuple(counts))
        return Worst(Usage(counts, UsageSource.ESTIMATED), unpriced, "the model has no known price")
    return worst


def _segments(price: Price, input_tokens: int) -> Iterator[tuple[int, Rates]]:
    """For each tier that the input can reach, the most input that is priced by it."""
    for most in (*(above for above, _ in price.tiers if above < input_tokens), input_tokens):
        yield most, price.rates_at(most)


def _worst_at(
    price: Price,
    rates: Rates,
    input_tokens: int,
    output_tokens: int,
    input_meters: tuple[str, ...],
    sound: bool,
    fees: Mapping[str, int],
) -> Worst:
    counts: dict[str, int] = {}
    lines: list[CostLine] = []
    missing: list[str] = []
    slack = 0
    for tokens, among in ((input_tokens, input_meters), (output_tokens, _output_meters(rates, sound))):
        if tokens:
            known = _known(rates, among, missing)
            if known:
                rate, meter = max(known, key=_RATE)
                counts[meter] = tokens
                lines.append(CostLine(meter, tokens, rate, ceil_div(tokens * rate, PER)))
                # Each line is rounded up: tokens spread over meters can cost one more for each uneven rate but one.
                slack += max(0, sum(1 for rate, _ in known if rate % PER) - 1)
    if rates.by_meter.get(meters.REQUEST):
        fees = {**fees, meters.REQUEST: 1}
    for rate, meter in _known(rates, tuple(fees), missing):
        counts[meter] = fees[meter]
        lines.append(CostLine(meter, fees[meter], rate, ceil_div(fees[meter] * rate, PER)))
    if slack:
        lines.append(CostLine("rounding", slack, PER, slack))
    return Worst(
        Usage(counts, UsageSource.ESTIMATED),
        Cost(sum([line.nanos for line in lines]), tuple(lines), price.id, tuple(missing)),
        f"the model has no known price for {missing[0]}" if missing else "",
    )


def _known(rates: Rates, among: tuple[str, ...], missing: list[str]) -> list[tuple[int, str]]:
    """The rates of these meters; meters without a known one are added to `missing`."""
    known = []
    for meter in among:
        rate = rates.rate(meter)
        if rate is None:
            missing.append(meter)
        else:
            known.append((rate, meter))
    return known


def _output_meters(rates: Rates, sound: bool) -> tuple[str, ...]:
    own = tuple([meter for meter in _SPECIAL_OUTPUT if meter in rates.by_meter])
    if sound and meters.OUTPUT_AUDIO not in own:
        own += (meters.OUTPUT_AUDIO,)
    return (meters.OUTPUT, meters.REASONING, *own)
