"""Prices multiplied: an administrator's discount or markup on all that an integration charges. Integers only."""

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final

from headgate.base.money import ceil_div
from headgate.catalog.price import Price, Rates

DEFAULT: Final = "default"
PER_WHOLE: Final = 1_000_000
"""Multipliers are in millionths: 1,200,000 is a markup of a fifth."""
_FACTOR: Final = r"[a-z0-9_]+=[0-9.]+"
_MULTIPLIED: Final = re.compile(rf"(.+)\*({_FACTOR}(?:,{_FACTOR})*)")


class Multipliers:
    """By meter; under `default` for the meters without one, or nothing, which leaves those as they are.

    A meter with a multiplier but without a price of its own has the price of its plain kind, multiplied. Each rate is
    rounded up to a whole nano-dollar per million units. The same price gives the same object.
    """

    __slots__ = ("_by_meter", "_default", "_made", "name")

    def __init__(self, millionths: Mapping[str, int]) -> None:
        self._default = millionths.get(DEFAULT, PER_WHOLE)
        self._by_meter = {meter: each for meter, each in millionths.items() if meter != DEFAULT}
        self._made: dict[Price, Price] = {}
        factors = [(DEFAULT, self._default), *sorted(self._by_meter.items())]
        self.name = ",".join(f"{meter}={factor(each)}" for meter, each in factors)

    def of(self, price: Price) -> Price:
        """Its id is the price's with the multipliers behind it, as `unmultiplied` reads it."""
        if (made := self._made.get(price)) is None:
            made = self._made[price] = replace(
                price,
                id=f"{price.id}*{self.name}",
                rates=self._rates(price.rates),
                tiers=tuple((above, self._rates(rates)) for above, rates in price.tiers),
                variants={name: self.of(variant) for name, variant in price.variants.items()},
                disputed={meter: self._times(rate, meter) for meter, rate in price.disputed.items()},
            )
        return made

    def _rates(self, rates: Rates) -> Rates:
        by_meter = {meter: self._times(rate, meter) for meter, rate in rates.by_meter.items()}
        for meter in self._by_meter.keys() - by_meter.keys():
            if (rate := rates.rate(meter)) is not None:
                by_meter[meter] = self._times(rate, meter)
        return Rates(by_meter, rates.unknown)

    def _times(self, rate: int, meter: str) -> int:
        return ceil_div(rate * self._by_meter.get(meter, self._default), PER_WHOLE)


def factor(millionths: int) -> Decimal:
    """As it is written: 1.2."""
    found = Decimal(millionths) / PER_WHOLE
    return Decimal(int(found)) if found == found.to_integral_value() else found.normalize()


def factor_of(factors: str, meter: str) -> str:
    """What `factors`, as `unmultiplied` gives it, multiplies a meter's price by."""
    by_meter = dict(each.split("=") for each in factors.split(","))
    return by_meter.get(meter, by_meter[DEFAULT])


def unmultiplied(price_id: str) -> tuple[str, str]:
    """The id of the price that was multiplied, and by what (`default=1.2,output=0.5`); empty if by nothing."""
    found = _MULTIPLIED.fullmatch(price_id)
    return (found[1], found[2]) if found else (price_id, "")
