"""The pricing source's amounts as rows of the table: whole numbers of nano-dollars per million units."""

import hashlib
from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, Decimal
from fnmatch import fnmatchcase
from typing import Any, Final

import msgspec

from headgate.base import usage as meters
from headgate.base.money import NANOS_PER_USD
from headgate.catalog.price import Rates
from headgate.catalog.table import Row

Amounts = Mapping[str, Mapping[str, Any]]
"""By the source's price key: `base` in dollars as text, `tiers` as (input tokens above which, dollars)."""

NOTHING: Final[Mapping[str, Any]] = {"base": "0", "tiers": []}

_METERS: Final = {
    "input_mtok": meters.INPUT,
    "cache_read_mtok": meters.CACHE_READ,
    "cache_write_mtok": meters.CACHE_WRITE,
    "cache_write_1h_mtok": meters.CACHE_WRITE_1H,
    "input_audio_mtok": meters.INPUT_AUDIO,
    "cache_audio_read_mtok": meters.CACHE_READ_AUDIO,
    "input_image_mtok": meters.INPUT_IMAGE,
    "input_video_mtok": "input_video",
    "output_mtok": meters.OUTPUT,
    "output_reasoning_mtok": meters.REASONING,
    "output_audio_mtok": meters.OUTPUT_AUDIO,
    "output_image_mtok": meters.OUTPUT_IMAGE,
    "output_video_mtok": "output_video",
    "requests_kcount": meters.REQUEST,
    "web_searches_kcount": meters.WEB_SEARCH,
    "storage_searches_kcount": "tool:file_search",
}
"""Price keys with a meter; others (hours of audio, pages, characters) have none and are left out."""

_UNITS: Final = {"mtok": 1, "kcount": 1_000}
"""How many times the priced quantity goes into a million units."""

_DIGITS_OF_A_FRACTION: Final = 15


def matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def rate(key: str, dollars: str) -> int:
    """Nano-dollars per million units. Raises `ValueError` if that is no whole number.

    Only what the source itself had to round, a repeating fraction such as a twelfth, is rounded up to one.
    """
    amount = Decimal(dollars)
    exact = amount * NANOS_PER_USD * _UNITS[key.rsplit("_", 1)[1]]
    whole = int(exact.to_integral_value(ROUND_CEILING))
    if whole < 0 or (whole != exact and len(amount.as_tuple().digits) < _DIGITS_OF_A_FRACTION):
        raise ValueError(f"{key} {dollars} is no whole number of nano-dollars per million units")
    return whole


def rates_of(amounts: Amounts, input_tokens: int) -> dict[str, int]:
    """The rates of a call with this many input tokens."""
    rates = {}
    for key, meter in _METERS.items():
        if (amount := amounts.get(key)) is not None:
            reached = [dollars for above, dollars in amount["tiers"] if input_tokens > above]
            rates[meter] = rate(key, reached[-1] if reached else amount["base"])
    return rates


def dearer(meter: str, other: int, current: Mapping[str, int]) -> bool:
    """Whether this meter has no rate of its own here, and its fallback is below the `other` rate."""
    fallback = Rates(current).rate(meter)
    return meter not in current and fallback is not None and other > fallback


def current(prices: list[dict[str, Any]], day: str) -> Amounts:
    """What applies on this day outside of special hours: the last entry that has begun."""
    begun = [price for price in prices if "hours" not in price and price.get("since", "") <= day]
    amounts: Amounts = (begun or prices)[-1]["prices"]
    return amounts


def context_window(told: Iterable[int | None], dated: Iterable[Row]) -> int | None:
    """The largest window that any source tells; None if the price has a tier beyond it: then it is not the true one."""
    window = max((tokens for tokens in told if tokens), default=None)
    tiers = [above for row in dated for above, _ in row.tiers]
    return window if window is not None and all(above < window for above in tiers) else None


def compile_rows(
    provider: str, model: str, prices: list[dict[str, Any]], unknown: Iterable[str]
) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """Dated rows, ascending, the first of them for all time before; and those for some hours of the day."""
    days = sorted({price.get("since", "") for price in prices if "hours" not in price} | {""})
    dated: list[Row] = []
    for day in days:
        row = _row(provider, model, current(prices, day), unknown, since=day if dated else "")
        if not dated or (row.rates, row.tiers) != (dated[-1].rates, dated[-1].tiers):
            dated.append(row)
    hourly = [price for price in prices if "hours" in price]
    return tuple(dated), tuple(_row(provider, model, p["prices"], unknown, hours=tuple(p["hours"])) for p in hourly)


def compile_variants(
    provider: str, model: str, prices: list[dict[str, Any]], variants: list[dict[str, Any]], unknown: Iterable[str]
) -> dict[str, Row]:
    """The newest price under other terms: the variant's own amounts over the newest standard ones."""
    standard = current(prices, "9999-12-31")
    compiled = {}
    for variant in variants:
        name = _variant_name(variant["when"])
        if name is not None and variant["prices"] and name not in compiled:
            amounts = {**standard, **variant["prices"]}
            compiled[name] = _row(provider, model, amounts, unknown, variant=name)
    return compiled


def _variant_name(when: Mapping[str, str]) -> str | None:
    """Named after the request's own word. Terms of other kinds (a region's route) are not asked for in a request."""
    if len(when) != 1:
        return None
    ((kind, value),) = when.items()
    return value if kind in {"service_tier", "processing", "speed"} and value not in {"default", "standard"} else None


def _row(
    provider: str,
    model: str,
    amounts: Amounts,
    unknown: Iterable[str],
    *,
    since: str = "",
    hours: tuple[str, str] | None = None,
    variant: str = "",
) -> Row:
    starts = sorted({above for key in amounts if key in _METERS for above, _ in amounts[key]["tiers"]})
    rates = rates_of(amounts, 0)
    tiers = tuple((above, rates_of(amounts, above + 1)) for above in starts)
    digest = hashlib.sha256(msgspec.json.encode([rates, tiers, sorted(unknown)], order="sorted")).hexdigest()[:8]
    term = variant or ("-".join(hours) if hours else since or "start")
    return Row(id=f"{provider}/{model}@{term}#{digest}", rates=rates, tiers=tiers, since=since, hours=hours)
