"""How figures and moments are written on a page."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from markupsafe import Markup

from headgate.base.errors import HeadgateError
from headgate.base.money import NANOS_PER_USD
from headgate.ledger.allowance import Resource
from headgate.tenancy.limits import RESETS, RateLimit
from headgate.tenancy.moments import moment

NOTHING: Final = "–"
_CENT: Final = Decimal("0.01")
UNIT_WORDS: Final = {
    "rpm": "a minute",
    "rps": "a second",
    "rph": "an hour",
    "rpd": "a day",
    "rpw": "a week",
}
"""Of rate limits, as people say them."""
REASONS: Final = {
    "01": "key expired",
    "03": "no valid key",
    "04": "budget used up",
    "05": "rate limit reached",
    "AB01": "malformed request",
    "AB03": "scope missing",
    "AB08": "not found",
    "held": "budget held by other calls",
}
"""Of refusals whose code does not say it."""


def dollars(amount: Decimal | int) -> str:
    """To the cent, and where that would be nothing, to the first two digits that are something."""
    found = Decimal(amount)
    if found and abs(found) < _CENT:
        return f"${round(found, 1 - found.adjusted()):f}"
    return f"${found:,.2f}"


def of_nanos(nanos: int | None) -> str:
    """Nano-dollars as dollars."""
    return NOTHING if nanos is None else dollars(Decimal(nanos) / NANOS_PER_USD)


def of_cents(cents: Decimal | None) -> str:
    return NOTHING if cents is None else dollars(Decimal(cents) / 100)


def exact(cents: Decimal) -> str:
    """To the last digit there is, for whoever adds up."""
    found = Decimal(cents) / 100
    return f"${found.normalize():,f}" if found != found.quantize(_CENT) else dollars(found)


def rate(value: Decimal) -> str:
    """A share that is in percent already."""
    return f"{value:.2f} %"


def measured(value: Decimal | int, unit: str) -> str:
    """A figure of a chart: dollars, milliseconds, percent, or a count."""
    match unit:
        case "$":
            return dollars(value)
        case "ms":
            return milliseconds(value)
        case "%":
            return rate(Decimal(value))
    return number(value)


def amount(value: int, resource: str) -> str:
    """An amount of an allowance, in its unit."""
    return of_nanos(value) if resource == Resource.COST else f"{value:,}"


def number(value: Decimal | int | None) -> str:
    return NOTHING if value is None else f"{value:,}"


def size(count: float) -> str:
    """Bytes, as people say them."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.2f} GB"


def percent(part: int, whole: int) -> int:
    """Rounded down, and at most 100: full is full, and almost full is not."""
    return min(part * 100 // whole, 100) if whole else 100


def milliseconds(value: Decimal | int | None) -> str:
    if value is None:
        return NOTHING
    return f"{value / 1000:.2f} s" if value >= 1000 else f"{value:.0f} ms"


def at(nanoseconds: int | None, zone: str) -> str:
    """To the second, in a time zone."""
    return NOTHING if nanoseconds is None else _local(moment(nanoseconds), zone)


def at_iso(text: str | None, zone: str) -> str:
    """The same of a moment in the contract's spelling."""
    return NOTHING if text is None else _local(datetime.fromisoformat(text), zone)


def period(limit: Any) -> str:
    """Over which a budget counts."""
    if limit.reset_days is not None:
        return f"every {limit.reset_days} days"
    return RESETS[limit.reset] if limit.reset else "in total"


def rate_words(limit: RateLimit) -> str:
    """A rate limit as people say it."""
    return f"{limit.value:,} {resource_words(limit.resource)}{f' {UNIT_WORDS[limit.unit]}' if limit.unit else ''}"


def reason(code: str) -> str:
    """Why calls were refused, by the error's code."""
    return REASONS.get(code, code.replace("_", " "))


def resource_words(resource: str) -> str:
    return "calls at the same time" if resource == Resource.IN_FLIGHT else resource.replace("_", " ")


def lines_of(pairs: Mapping[str, str]) -> str:
    """As `Form.pairs` reads them back."""
    return "\n".join(f"{name}={value}" for name, value in pairs.items())


def plainly(error: HeadgateError) -> str:
    """What was wrong, beside the field it was wrong with: without the field's name in front."""
    rest = error.message.removeprefix(f"`{error.param}`").lstrip(": ")
    return rest[:1].upper() + rest[1:]


def is_about(error: HeadgateError | None, param: str) -> bool:
    """Whether what was wrong is this field, or one of those in it."""
    found = (error.param if error else None) or ""
    return found == param or found.startswith(f"{param}[")


def document(value: Any) -> str:
    """JSON as people read it; a text as it is."""
    return value if isinstance(value, str) else json.dumps(value, indent=1, ensure_ascii=False)


def pretty(text: str) -> str:
    """JSON text as people read it; a text that is none as it is."""
    try:
        return document(json.loads(text))
    except ValueError:
        return text


def coded(text: str) -> Markup:
    """What stands between backticks, as code."""
    parts = text.split("`")
    return Markup("").join(Markup("<code>{}</code>").format(each) if n % 2 else each for n, each in enumerate(parts))


def _time(told: str) -> Markup:
    """So that no line breaks within."""
    return Markup("<time>{}</time>").format(told)


def _local(found: datetime, zone: str) -> str:
    return found.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")


FILTERS: Final = {
    "nanos": of_nanos,
    "cents": of_cents,
    "exact": exact,
    "rate": rate,
    "measured": measured,
    "amount": amount,
    "number": number,
    "size": size,
    "reason": reason,
    "milliseconds": milliseconds,
    "at": lambda value, zone: _time(at(value, zone)),
    "at_iso": lambda value, zone: _time(at_iso(value, zone)),
    "period": period,
    "rate_words": rate_words,
    "plainly": plainly,
    "is_about": is_about,
    "lines_of": lines_of,
    "document": document,
    "pretty": pretty,
    "coded": coded,
}
