"""The time that a page is about, and the zone it is told in: both stand in the page's address."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from headgate.base.clock import NANOS_PER_SECOND
from headgate.base.errors import InvalidRequest
from headgate.ledger.allowance import Window, WindowKind
from headgate.ledger.period import period_of
from headgate.tenancy.moments import from_iso, moment, to_iso

RANGES: Final = {"24h": 1, "7d": 7, "30d": 30, "90d": 90}
"""Days back from now, by name."""
BY_DEFAULT: Final = "7d"
_DAY: Final = 86_400 * NANOS_PER_SECOND


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From `since` up to, and without, `until`, in nanoseconds. `name` is empty where both were chosen."""

    since: int
    until: int
    zone: str
    name: str
    start: str = ""
    end: str = ""
    """As they were typed."""

    def asked(self) -> dict[str, str]:
        """As filters of `analytics`."""
        return _between(self.since, self.until)

    def query(self) -> dict[str, str]:
        """What stands in the address of a page that is about the same time."""
        chosen = {"range": self.name} if self.name else {"from": self.start, "to": self.end}
        return {**{name: value for name, value in chosen.items() if value}, "tz": self.zone}

    def query_with(self, more: Mapping[str, str | int]) -> dict[str, str | int]:
        """The same with more beside it, which may have a time of its own."""
        return {**({"tz": self.zone} if "from" in more or "range" in more else self.query()), **more}


def time_range(query: Mapping[str, str], now: int, zone: str) -> TimeRange:
    """`range`, or `from` and `to` as a browser's fields send them; `tz`. Raises `InvalidRequest` naming the field."""
    zone = query.get("tz") or zone
    _require_zone(zone)
    start, end = query.get("from", ""), query.get("to", "")
    if start or end:
        until = _typed(end, zone, "to") if end else now + 1
        since = _typed(start, zone, "from") if start else max(until - RANGES[BY_DEFAULT] * _DAY, 0)
        if since >= until:
            raise InvalidRequest("`from` must be before `to`.", param="from")
        return TimeRange(since, until, zone, "", start, end)
    name = query.get("range") or BY_DEFAULT
    if name not in RANGES:
        raise InvalidRequest(f"`range` must be one of {', '.join(RANGES)}.", param="range")
    return TimeRange(now + 1 - RANGES[name] * _DAY, now + 1, zone, name)


def as_typed(query: Mapping[str, str], now: int, zone: str) -> TimeRange:
    """For a form whose time or zone was wrong: what was typed, and under it the days that are shown by default."""
    start, end, name = query.get("from", ""), query.get("to", ""), query.get("range", "")
    try:
        _require_zone(query.get("tz") or zone)
    except InvalidRequest:
        query = {}
    days = name if name in RANGES else BY_DEFAULT
    chosen = "" if start or end else days
    return TimeRange(now + 1 - RANGES[days] * _DAY, now + 1, query.get("tz") or zone, chosen, start, end)


def start_of(unit: str, now: int, zone: str) -> int:
    """Of the `day` or `month` that it is."""
    return period_of(Window(WindowKind.CALENDAR, unit=unit, time_zone=zone), now).start


def since_the_start_of(unit: str, now: int, zone: str) -> dict[str, str]:
    """Filters for the `day` or `month` so far."""
    return _between(start_of(unit, now, zone), now + 1)


def typed(at: int, zone: str) -> str:
    """A moment as a browser's field has it: to the minute, or to the millisecond where it is within one."""
    found = moment(at).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return found.isoformat(timespec="milliseconds" if found.second or found.microsecond else "minutes")


def _between(since: int, until: int) -> dict[str, str]:
    # A moment is told to the millisecond; what has just happened is not to be cut off.
    return {"time_of_generation_min": to_iso(since), "time_of_generation_max": to_iso(until + 1_000_000)}


def _typed(text: str, zone: str, param: str) -> int:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidRequest(f"`{param}` must be a date and a time, such as 2027-01-31T00:00.", param=param) from None
    return from_iso((found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))).isoformat(), param)


def _require_zone(zone: str) -> None:
    try:
        moment(0).astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidRequest("`tz` must be the IANA name of a time zone, such as Europe/Berlin.", param="tz") from None
