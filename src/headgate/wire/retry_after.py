"""How long a provider asks to be left alone, in every dialect.

`retry-after-ms` (OpenAI); `retry-after`, in seconds or as a date; Google's `RetryInfo` in the body of the error;
`x-ratelimit-reset-*` (OpenAI, Groq: `6m0s`, `20ms`; others: seconds) and `anthropic-ratelimit-*-reset` (a date), of
which those count that belong to a limit with nothing left.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec

from headgate.base.clock import NANOS_PER_SECOND
from headgate.wire import loose

LONGEST_S: Final = 86_400.0
_NUMBER = re.compile(r"\d{1,10}(?:\.\d{1,9})?")
_PART = re.compile(r"(\d{1,10}(?:\.\d{1,9})?)(ms|s|m|h)")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_LIMIT = re.compile(r"(x-ratelimit-|anthropic-ratelimit-)(?:(remaining|reset)-(.+)|(.+)-(remaining|reset))")


def retry_after(headers: Sequence[tuple[bytes, bytes]], body: bytes, now: int) -> float | None:
    """Seconds, from headers with names in lower case. None: it does not say. `now` is the wall clock, nanoseconds."""
    found = {name.decode("latin-1"): value.decode("latin-1").strip() for name, value in headers}
    milliseconds = _plain(found.get("retry-after-ms", ""))
    if milliseconds is not None:
        return _bounded(milliseconds / 1000)
    if (told := moment(found.get("retry-after", ""), now)) is not None:
        return told
    if (told := _retry_info(body)) is not None:
        return told
    return _reset(found, now)


def _reset(headers: dict[str, str], now: int) -> float | None:
    remaining: dict[str, str] = {}
    resets: dict[str, str] = {}
    for name, value in headers.items():
        if (match := _LIMIT.fullmatch(name)) is not None:
            what, of = match[2] or match[5], match[1] + (match[3] or match[4])
            (remaining if what == "remaining" else resets)[of] = value
    spent = [told for of, value in resets.items() if remaining.get(of) == "0" and (told := moment(value, now))]
    return max(spent, default=None)


def moment(text: str, now: int) -> float | None:
    """A number of seconds, a duration, or a date."""
    if (seconds := _plain(text)) is not None:
        return _bounded(seconds)
    parts = _PART.findall(text)
    if parts and "".join(number + unit for number, unit in parts) == text:
        return _bounded(sum(float(number) * _UNITS[unit] for number, unit in parts))  # why: seconds
    if (date := _date(text)) is not None:
        return _bounded(date.timestamp() - now / NANOS_PER_SECOND)
    return None


def _plain(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None  # why: seconds


def _date(text: str) -> datetime | None:
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            found = read(text)
        except (ValueError, TypeError, IndexError):
            continue
        return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    return None


def _retry_info(body: bytes) -> float | None:
    if b"retryDelay" not in body:
        return None
    try:
        value: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if isinstance(value, list):
        value = next(iter(loose.mappings(value)), {})
    error = loose.mapping(loose.mapping(value).get("error"))
    for detail in loose.mappings(error.get("details")):
        if isinstance(told := detail.get("retryDelay"), str):
            return moment(told, 0)
    return None


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST_S)
