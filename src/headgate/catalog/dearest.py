"""The usage that costs most among all that a provider could report within a bound.

Cache writes count where the request or the provider makes them, sound and pictures where there are any, every price
tier that the input can reach, and the dearer of the terms that the request asks for and the standard ones, because a
provider may fall back to those.
"""

from collections.abc import Mapping
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

import msgspec

from headgate.base import usage as meters
from headgate.base.money import ceil_div
from headgate.catalog.price import PER, STANDARD_TERMS, Cost, CostLine, Price, Rates

_TERMS: Final = ("service_tier", "speed")
_SURCHARGES: Final = {"inference_geo": "global"}
"""Members whose other values cost more by a factor that no source has."""
_TERM_MEMBERS: Final = frozenset({*_TERMS, *_SURCHARGES})
_RATE: Final = itemgetter(0)
_SPECIAL_OUTPUT: Final = (meters.OUTPUT_IMAGE, meters.OUTPUT_AUDIO)


class Offers(msgspec.Struct, frozen=True):
    """The prices of which any may be charged; none for a model without a price."""

    prices: tuple[Price, ...]
    terms: str | None = None
    unknown: str = ""
    """Why other prices may be charged that are not known; empty if none may."""


class Worst(msgspec.Struct, frozen=True):
    """The dearest usage, by meter, and its cost; `unknown` says what of it has no known price, empty if nothing."""

    counts: Mapping[str, int]
    cost: Cost
    unknown: str = ""


class _Dearest(msgspec.Struct, frozen=True):
    """The dearest of some meters at some rates."""

    meter: str
    """Empty if none of them has a known price."""
    rate: int
    slack: int
    """Nano-dollars. Each line is rounded up: tokens spread over the meters can cost one more for each uneven rate but
    one."""
    missing: tuple[str, ...]
    """Those without a known price."""


class _Tier(msgspec.Struct, frozen=True):
    """What a price comes to in one of its tiers."""

    above: int
    """Input tokens above which it applies."""
    most: int | None
    """The most input that it applies to; None: any."""
    rates: Rates
    input: _Dearest
    output: _Dearest
    by_request: bool
    """Whether a request has a price of its own."""
    of_tokens: bool
    """Whether all that is charged for is input and output, which have a price each."""


def standard_offers(price: Price | None) -> Offers:
    """For a request that names no terms."""
    return Offers(() if price is None else (price,))


def offers_of(request: Mapping[str, Any], price: Price | None) -> Offers:
    """Read the terms of a decoded request."""
    if price is None or _TERM_MEMBERS.isdisjoint(request):
        return standard_offers(price)
    asked = [value for member in _TERMS if (value := request.get(member)) and str(value) not in STANDARD_TERMS]
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
        for tier in _tiers(price, input_meters, sound):
            if input_tokens > tier.above:
                most = input_tokens if tier.most is None else min(input_tokens, tier.most)
                candidate = _worst_in(tier, price.id, most, output_tokens, fees)
                if worst is None or (candidate.unknown, candidate.cost.nanos) > (worst.unknown, worst.cost.nanos):
                    worst = candidate
    if worst is None:
        counts = {meters.INPUT: input_tokens, meters.OUTPUT: output_tokens, **fees}
        return Worst(counts, Cost(0, unpriced=tuple(counts)), "the model has no known price")
    return worst


def _worst_in(tier: _Tier, price_id: str, input_tokens: int, output_tokens: int, fees: Mapping[str, int]) -> Worst:
    if fees or not tier.of_tokens or not (input_tokens and output_tokens):
        return _worst_of_many(tier, price_id, input_tokens, output_tokens, fees)
    into, out = tier.input, tier.output
    of_input, of_output = -(-input_tokens * into.rate // PER), -(-output_tokens * out.rate // PER)
    lines: tuple[CostLine, ...] = (
        CostLine(into.meter, input_tokens, into.rate, of_input),
        CostLine(out.meter, output_tokens, out.rate, of_output),
    )
    total, slack = of_input + of_output, into.slack + out.slack
    if slack:
        total, lines = total + slack, (*lines, CostLine("rounding", slack, PER, slack))
    return Worst({into.meter: input_tokens, out.meter: output_tokens}, Cost(total, lines, price_id))


def _worst_of_many(tier: _Tier, price_id: str, input_tokens: int, output_tokens: int, fees: Mapping[str, int]) -> Worst:
    """The same, whatever is charged for: the usual call is input and output that have a price each, and no more."""
    charges = [(input_tokens, tier.input), (output_tokens, tier.output)]
    if tier.by_request:
        fees = {**fees, meters.REQUEST: 1}
    charges += [(uses, _dearest(tier.rates, (meter,))) for meter, uses in fees.items()]
    counts: dict[str, int] = {}
    lines: list[CostLine] = []
    missing: tuple[str, ...] = ()
    total = slack = 0
    for count, dearest in charges:
        if count:
            missing += dearest.missing
            slack += dearest.slack
            if dearest.meter:
                nanos = ceil_div(count * dearest.rate, PER)
                total += nanos
                counts[dearest.meter] = count
                lines.append(CostLine(dearest.meter, count, dearest.rate, nanos))
    if slack:
        lines.append(CostLine("rounding", slack, PER, slack))
    cost = Cost(total + slack, tuple(lines), price_id, missing)
    return Worst(counts, cost, f"the model has no known price for {missing[0]}" if missing else "")


@lru_cache(maxsize=4_096)
def _tiers(price: Price, input_meters: tuple[str, ...], sound: bool) -> tuple[_Tier, ...]:
    """Kept: it follows from the price and the kind of request alone, and every call asks for it."""
    steps = ((-1, price.rates), *price.tiers)
    ends = (*[above for above, _ in price.tiers], None)
    return tuple(
        _tier(above, most, rates, input_meters, sound) for (above, rates), most in zip(steps, ends, strict=True)
    )


def _tier(above: int, most: int | None, rates: Rates, input_meters: tuple[str, ...], sound: bool) -> _Tier:
    into, out = _dearest(rates, input_meters), _dearest(rates, _output_meters(rates, sound))
    by_request = bool(rates.by_meter.get(meters.REQUEST))
    return _Tier(above, most, rates, into, out, by_request, not (by_request or into.missing or out.missing))


def _output_meters(rates: Rates, sound: bool) -> tuple[str, ...]:
    own = [meter for meter in _SPECIAL_OUTPUT if meter in rates.by_meter]
    if sound and meters.OUTPUT_AUDIO not in own:
        own.append(meters.OUTPUT_AUDIO)
    return (meters.OUTPUT, meters.REASONING, *own)


def _dearest(rates: Rates, among: tuple[str, ...]) -> _Dearest:
    found = [(rates.rate(meter), meter) for meter in among]
    missing = tuple(meter for rate, meter in found if rate is None)
    known = [(rate, meter) for rate, meter in found if rate is not None]
    if not known:
        return _Dearest("", 0, 0, missing)
    rate, meter = max(known, key=_RATE)
    uneven = sum(1 for rate, _ in known if rate % PER)
    return _Dearest(meter, rate, max(0, uneven - 1), missing)
