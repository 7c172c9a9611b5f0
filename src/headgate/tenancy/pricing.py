"""Prices as the contract writes them, in US cents per token, and as the house keeps them."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from headgate.base import usage as meters
from headgate.base.errors import InvalidRequest
from headgate.base.money import NANOS_PER_CENT, ceil_div
from headgate.catalog.multiplier import DEFAULT, PER_WHOLE, factor
from headgate.catalog.price import PER
from headgate.tenancy import limit_rules

METERS: Final = {
    "request_token": meters.INPUT,
    "response_token": meters.OUTPUT,
    "cache_read_input_token": meters.CACHE_READ,
    "cache_write_input_token": meters.CACHE_WRITE,
    "request_audio_token": meters.INPUT_AUDIO,
    "response_audio_token": meters.OUTPUT_AUDIO,
    "request_image_token": meters.INPUT_IMAGE,
    "response_image_token": meters.OUTPUT_IMAGE,
    "request": meters.REQUEST,
    "character": meters.CHARACTER,
    "audio_second": meters.AUDIO_SECOND,
    "search_unit": meters.SEARCH_UNIT,
}
"""The contract's names of what is priced, and the house's of what the contract has no name for."""
IMAGES: Final = "image"
"""Prices of pictures: by quality, and by size within it. Either may be `default`."""
MORE: Final = "additional_units"
_WORD: Final = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_UNITS: Final = {meter: unit for unit, meter in METERS.items()}
NANOS_PER_MILLION: Final = NANOS_PER_CENT * PER
"""One US cent per token, in nano-dollars per million tokens."""
LARGEST_FACTOR: Final = 1_000


def rates(pricing: object, param: str) -> dict[str, int]:
    """Nano-dollars per million tokens by meter, rounded up, from `{"pay_as_you_go": {unit: {"price": cents}}}`.

    Raises `InvalidRequest` naming the field.
    """
    units = pricing.get("pay_as_you_go") if isinstance(pricing, Mapping) else None
    if not isinstance(units, Mapping) or not units:
        raise InvalidRequest(
            f"`{param}.pay_as_you_go` must be an object with at least one price.", param=f"{param}.pay_as_you_go"
        )
    found: dict[str, int] = {}
    units, base = dict(units), f"{param}.pay_as_you_go"
    if IMAGES in units:
        found |= _image_rates(units.pop(IMAGES), f"{base}.{IMAGES}")
    more = units.pop(MORE, None)
    if more is not None and not isinstance(more, Mapping):
        raise InvalidRequest(f"`{base}.{MORE}` must be an object.", param=f"{base}.{MORE}")
    for unit, price in {**(more or {}), **units}.items():
        where = f"{base}.{unit}"
        if unit not in METERS:
            raise InvalidRequest(f"`{where[:200]}` cannot be priced. Known: {', '.join(METERS)}.", param=where[:200])
        found[METERS[unit]] = _rate(price, where)
    return found


def _image_rates(qualities: object, param: str) -> dict[str, int]:
    found = {}
    for quality, sizes in _objects(qualities, param):
        for size, price in _objects(sizes, f"{param}.{quality}"):
            found[f"{meters.IMAGE}:{quality}:{size}"] = _rate(price, f"{param}.{quality}.{size}")
    return found


def _objects(value: object, param: str) -> list[tuple[str, object]]:
    if not isinstance(value, Mapping) or not value:
        raise InvalidRequest(f"`{param}` must be an object with at least one member.", param=param)
    for name in value:
        if not isinstance(name, str) or _WORD.fullmatch(name) is None:
            raise InvalidRequest(f"`{param}` has a name that is no quality and no size.", param=param)
    return list(value.items())


def _rate(price: object, param: str) -> int:
    cents = limit_rules.number(price.get("price") if isinstance(price, Mapping) else None, f"{param}.price")
    return _per_million(cents, f"{param}.price")


def _per_million(cents: Decimal, param: str) -> int:
    if not 0 <= cents <= 10_000:
        raise InvalidRequest(f"`{param}` is in US cents each: between 0 and 10,000.", param=param)
    numerator, denominator = (cents * NANOS_PER_MILLION).as_integer_ratio()
    return ceil_div(numerator, denominator)


def multipliers(value: object, param: str) -> dict[str, int]:
    """Millionths by meter and under `default`, from `{"multiplier": {unit: factor}}`; None: nothing is multiplied.

    Raises `InvalidRequest` naming the field.
    """
    factors = value.get("multiplier") if isinstance(value, Mapping) else None
    if value is not None and not isinstance(factors, Mapping):
        raise InvalidRequest(f"`{param}.multiplier` must be an object.", param=f"{param}.multiplier")
    return {
        _multiplied(unit, f"{param}.multiplier.{unit}"[:200]): _millionths(factor, f"{param}.multiplier.{unit}"[:200])
        for unit, factor in (factors or {}).items()
    }


def _multiplied(unit: str, param: str) -> str:
    if unit != DEFAULT and unit not in METERS:
        raise InvalidRequest(f"`{param}` cannot be multiplied. Known: {DEFAULT}, {', '.join(METERS)}.", param=param)
    return METERS.get(unit, DEFAULT)


def _millionths(value: object, param: str) -> int:
    scaled = limit_rules.number(value, param) * PER_WHOLE
    if scaled != scaled.to_integral_value() or not 0 <= scaled <= LARGEST_FACTOR * PER_WHOLE:
        raise InvalidRequest(
            f"`{param}` must be between 0 and {LARGEST_FACTOR:,}, with at most six decimals.", param=param
        )
    return int(scaled)


def shown_multipliers(millionths: Mapping[str, int]) -> dict[str, Any] | None:
    """As the contract writes it; None: nothing is multiplied."""
    if not millionths:
        return None
    return {"multiplier": {_UNITS.get(meter, DEFAULT): plain(factor(each)) for meter, each in millionths.items()}}


def shown(by_meter: Mapping[str, int]) -> dict[str, Any]:
    """As the contract writes it. What it has no name for is under `additional_units`, by the house's name."""
    units: dict[str, Any] = {_UNITS[meter]: _cents(rate) for meter, rate in by_meter.items() if meter in _UNITS}
    pictures = {meter: rate for meter, rate in by_meter.items() if meter.startswith(f"{meters.IMAGE}:")}
    for meter, rate in pictures.items():
        _, quality, size = meter.split(":")
        units.setdefault(IMAGES, {}).setdefault(quality, {})[size] = _cents(rate)
    more = {meter: _cents(rate) for meter, rate in by_meter.items() if meter not in _UNITS and meter not in pictures}
    return {"type": "static", "pay_as_you_go": {**units, "additional_units": more} if more else units}


def _cents(rate: int) -> dict[str, Decimal | int]:
    return {"price": plain(Decimal(rate) / NANOS_PER_MILLION)}


def plain(number: Decimal) -> Decimal | int:
    """Without trailing zeros: 100, not 100.000000000."""
    return int(number) if number == number.to_integral_value() else number.normalize()
