"""The points of a graph: the organization's quarters of an hour, hours, days or months, by how long the graph is."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from headgate.base.clock import NANOS_PER_SECOND
from headgate.ledger.allowance import Window, WindowKind
from headgate.ledger.period import period_of
from headgate.tenancy.moments import moment

_HOUR: Final = 3_600 * NANOS_PER_SECOND
_QUARTER: Final = _HOUR // 4
_DAY: Final = 24 * _HOUR
_IN_QUARTERS: Final = _DAY
_IN_HOURS: Final = 8 * _DAY
_IN_DAYS: Final = 190 * _DAY


@dataclass(frozen=True, slots=True)
class Points:
    """Where each begins, in nanoseconds; the last ends with the graph."""

    starts: Sequence[int]
    whole_days: bool
    """Each is one or more whole days."""

    def index(self, at: int) -> int:
        """Of the point that a moment belongs to."""
        return max(bisect_right(self.starts, at) - 1, 0)


def points_of(since: int, until: int, time_zone: str) -> Points:
    """A day in quarters of an hour, a week in hours, half a year in days, beyond that in months. The first point may
    begin before the graph does: its calls are those of the graph all the same."""
    length = until - since
    if length <= _IN_QUARTERS:
        return Points(range(since // _QUARTER * _QUARTER, until, _QUARTER), whole_days=False)
    if length <= _IN_HOURS:
        offset = moment(since).astimezone(ZoneInfo(time_zone)).utcoffset() or timedelta()
        beyond = round(offset.total_seconds()) * NANOS_PER_SECOND % _HOUR
        return Points(range((since + beyond) // _HOUR * _HOUR - beyond, until, _HOUR), whole_days=False)
    window = Window(WindowKind.CALENDAR, unit="day" if length <= _IN_DAYS else "month", time_zone=time_zone)
    starts, at = [], since
    while at < until:
        period = period_of(window, at)
        starts.append(period.start)
        at = period.end
    return Points(starts, whole_days=True)
