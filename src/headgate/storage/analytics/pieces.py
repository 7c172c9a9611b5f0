"""From where a question is answered: which cells serve which stretch of its time, and where only records do."""

from dataclasses import dataclass
from typing import Final

from headgate.analytics.calls import Calls, of_what, of_who
from headgate.base.clock import NANOS_PER_SECOND
from headgate.ledger.allowance import Window, WindowKind
from headgate.ledger.period import period_of
from headgate.storage.analytics.cells import QUARTER_S
from headgate.storage.analytics_tables import BY_DAY, BY_WHAT, FULL, WHAT_BY_DAY
from headgate.tenancy.limits import Zone

_QUARTER: Final = QUARTER_S * NANOS_PER_SECOND
RECORDS: Final = -1
"""Beside the kinds of cells: usage records themselves."""


@dataclass(frozen=True, slots=True)
class Piece:
    """From `since` up to, and without, `until`, in nanoseconds. Those of cells begin and end where cells do."""

    kind: int
    since: int
    until: int


def pieces_of(calls: Calls, by: str, *, whole_days: bool, zone: Zone, now: int) -> list[Piece]:
    """`whole_days`: nobody asks what happened when within a day. What lies at the ends, and is no whole quarter of an
    hour, is answered from records."""
    if calls.about_each:
        return [Piece(RECORDS, calls.since, calls.until)]
    first = -(-calls.since // _QUARTER) * _QUARTER
    last = calls.until // _QUARTER * _QUARTER
    if calls.until > now:  # nothing is later: the quarter under way is all there is
        last = -(-min(calls.until, now + _QUARTER) // _QUARTER) * _QUARTER
    if first >= last:
        return [Piece(RECORDS, calls.since, calls.until)]
    ends = [Piece(RECORDS, calls.since, first), Piece(RECORDS, last, calls.until)]
    who, what = calls.about_who or of_who(by), calls.about_what or of_what(by)
    if who and what:
        inner = [Piece(FULL, first, last)]
    elif not whole_days:
        inner = [Piece(FULL if who else BY_WHAT, first, last)]
    elif who:
        inner = _in_days(FULL, BY_DAY, first, last, zone, now)
    else:
        inner = _in_days(BY_WHAT, WHAT_BY_DAY, first, last, zone, now)
    return [piece for piece in (*ends, *inner) if piece.since < piece.until]


def _in_days(quarters: int, days: int, first: int, last: int, zone: Zone, now: int) -> list[Piece]:
    """Cells of `days` for all whole days, of `quarters` for what lies at the ends, and for days that had begun when the
    time zone was set: those are days of another one, and would count some calls twice, or never."""
    day = Window(WindowKind.CALENDAR, unit="day", time_zone=zone.name)
    begun = max(first, zone.set_at)
    begins = period_of(day, begun - 1).end if begun else 0
    today = period_of(day, last)
    ends = today.end if last > now else today.start
    if begins >= ends:
        return [Piece(quarters, first, last)]
    return [Piece(quarters, first, begins), Piece(days, begins, ends), Piece(quarters, ends, last)]
