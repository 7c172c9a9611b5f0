"""Calendar arithmetic: in which period of a window a moment lies.

Periods begin at midnight in the window's time zone. Where a clock change skips midnight, they begin at the first
moment of the new day; where it repeats midnight, at the first of the two.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from headgate.base.clock import NANOS_PER_SECOND
from headgate.ledger.allowance import Window, WindowKind

NEVER: Final = 1 << 100
"""A moment that does not come."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` up to, and without, `end`: wall clock, nanoseconds since the epoch."""

    start: int
    end: int


def period_of(window: Window, moment: int) -> Period:
    """The period of a calendar, every-days or lifetime window that `moment` lies in. Raises ValueError, naming the
    field, for a window that cannot be."""
    match window.kind:
        case WindowKind.LIFETIME:
            return Period(-NEVER, NEVER)
        case WindowKind.CALENDAR:
            zone = _zone(window.time_zone)
            first, after = _calendar(window.unit, _day(moment, zone))
        case WindowKind.EVERY_DAYS:
            if window.days < 1:
                raise ValueError(f"window.days must be 1 or more, not {window.days}")
            zone = _zone(window.time_zone)
            today, anchor = _day(moment, zone), _day(window.anchor, zone)
            first = today - (today - anchor) % timedelta(days=window.days)
            after = first + timedelta(days=window.days)
        case WindowKind.SLIDING:
            raise ValueError("a sliding window has no periods")
    return Period(_midnight(first, zone), _midnight(after, zone))


def _calendar(unit: str, today: date) -> tuple[date, date]:
    match unit:
        case "day":
            return today, today + _DAY
        case "week":
            monday = today - timedelta(days=today.weekday())
            return monday, monday + timedelta(days=7)
        case "month":
            first = today.replace(day=1)
            return first, (first + timedelta(days=32)).replace(day=1)
    raise ValueError(f"window.unit must be day, week or month, not {unit!r}")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"window.time_zone: {name!r} is no time zone this machine knows") from error


def _day(moment: int, zone: ZoneInfo) -> date:
    return (_EPOCH + timedelta(seconds=moment // NANOS_PER_SECOND)).astimezone(zone).date()


def _midnight(day: date, zone: ZoneInfo) -> int:
    # fold=0 reads a skipped midnight with the offset before the change, which is the moment of the change itself
    local = datetime(day.year, day.month, day.day, tzinfo=zone)
    return (local.astimezone(UTC) - _EPOCH) // timedelta(seconds=1) * NANOS_PER_SECOND
