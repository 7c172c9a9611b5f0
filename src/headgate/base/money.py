"""Money is an `int` of nano-dollars (1 USD = 1,000,000,000). Never a float.

Prices come in as `Decimal`; what a call costs is rounded up once per price line, so that the sum of the lines
is the cost to the last nano-dollar.
"""

from decimal import ROUND_CEILING, Decimal

NANOS_PER_USD = 1_000_000_000
NANOS_PER_CENT = NANOS_PER_USD // 100
_POWERS = tuple(10**exponent for exponent in range(10))


def nanos_from_usd(usd: Decimal | int | str) -> int:
    """The amount in nano-dollars, rounded up to a whole one. Raises `decimal.InvalidOperation` on what is no number."""
    return int((Decimal(usd) * NANOS_PER_USD).to_integral_value(rounding=ROUND_CEILING))


def usd(nanos: int, places: int = 6) -> str:
    """The amount as dollars with a fixed number of decimals, rounded up: `usd(1) == "0.000001"`."""
    if nanos >= 0 and places == 6:  # every answer tells amounts
        return "%d.%06d" % divmod(-(-nanos // 1000), 1_000_000)  # noqa: UP031
    scale = _POWERS[places]
    whole = -(-nanos // _POWERS[9 - places])
    sign, whole = ("-", -whole) if whole < 0 else ("", whole)
    return "%s%d.%0*d" % (sign, whole // scale, places, whole % scale)  # noqa: UP031


def usd_decimal(nanos: int) -> Decimal:
    """The exact amount in dollars."""
    return Decimal(nanos).scaleb(-9)


def ceil_div(amount: int, divisor: int) -> int:
    """`amount / divisor`, rounded up, in integers."""
    return -(-amount // divisor)
