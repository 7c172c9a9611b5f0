"""Prices as the contract writes them, in US cents per token, and as the house keeps them."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from headgate.base import usage as meters
from headgate.base.errors import InvalidRequest
from headgate.base.money import NANOS_PER_CENT, ceil_div
from headgate.catalog.price import PER
from headgate.tenancy import limit_rules

METERS: Final = {
    "request_token": meters.INPUT,
    "response_token": meters.OUTPUT,
    "cache_read_input_token": meters.CACHE_READ,
    "cache_write_input_token": meters.CACHE_WRITE,
    "request_audio_token": meters.INPUT_AUDIO,
    "response_audio_token": meters.OUTPUT_AUDIO,
}
"""The contract's names of what is priced."""
_UNITS: Final = {meter: unit for unit, meter in METERS.items()}
NANOS_PER_MILLION: Final = NANOS_PER_CENT * PER
"""One US cent per token, in nano-dollars per million tokens."""


def rates(pricing: object, param: str) -> dict[str, int]:
    """Nano-dollars per million tokens by meter, rounded up, from `{"pay_as_you_go": {unit: {"price": cents}}}`.

    Raises `InvalidRequest` naming the field.
    """
    units = pricing.get("pay_as_you_go") if isinstance(pricing, Mapping) else None
    if not isinstance(units, Mapping) or not units:
        raise InvalidRequest(
            f"`{param}.pay_as_you_go` must be an object with at least one price.", param=f"{param}.pay_as_you_go"
        )
    found = {}
    for unit, price in units.items():
        where = f"{param}.pay_as_you_go.{unit}"
        if unit not in METERS:
            raise InvalidRequest(f"`{where[:200]}` cannot be priced. Known: {', '.join(METERS)}.", param=where[:200])
        cents = limit_rules.number(price.get("price") if isinstance(price, Mapping) else None, f"{where}.price")
        found[METERS[unit]] = _per_million(cents, f"{where}.price")
    return found


def _per_million(cents: Decimal, param: str) -> int:
    if not 0 <= cents <= 10_000:
        raise InvalidRequest(f"`{param}` is in US cents per token: between 0 and 10,000.", param=param)
    numerator, denominator = (cents * NANOS_PER_MILLION).as_integer_ratio()
    return ceil_div(numerator, denominator)


def shown(by_meter: Mapping[str, int]) -> dict[str, Any]:
    """As the contract writes it."""
    return {"type": "static", "pay_as_you_go": dict(_units(by_meter.items()))}


def _units(prices: Iterable[tuple[str, int]]) -> Iterable[tuple[str, dict[str, Decimal | int]]]:
    for meter, rate in prices:
        yield _UNITS[meter], {"price": plain(Decimal(rate) / NANOS_PER_MILLION)}


def plain(number: Decimal) -> Decimal | int:
    """Without trailing zeros: 100, not 100.000000000."""
    return int(number) if number == number.to_integral_value() else number.normalize()
