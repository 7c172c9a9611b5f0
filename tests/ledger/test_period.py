"""Periods: which calendar days, weeks and months a moment lies in, in the organization's time zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.base.clock import NANOS_PER_SECOND
from headgate.ledger.allowance import LIFETIME, Window, WindowKind
from headgate.ledger.period import NEVER, period_of

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "America/Havana", "Asia/Beirut")
HOUR = 3_600 * NANOS_PER_SECOND


def moment(text: str) -> int:
    return (
        (datetime.fromisoformat(text).astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC))
        // timedelta(microseconds=1)
        * 1_000
    )


def calendar(unit: str, zone: str = "UTC") -> Window:
    return Window(WindowKind.CALENDAR, unit=unit, time_zone=zone)


@pytest.mark.parametrize(
    ("window", "at", "start", "end"),
    [
        (calendar("day"), "2026-01-01T12:00:00+00:00", "2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00"),
        (calendar("day"), "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00"),
        # the week begins on Monday, over the end of a year
        (calendar("week"), "2026-01-04T23:59:59+00:00", "2025-12-29T00:00:00+00:00", "2026-01-05T00:00:00+00:00"),
        (calendar("week"), "2026-01-05T00:00:00+00:00", "2026-01-05T00:00:00+00:00", "2026-01-12T00:00:00+00:00"),
        # the month, in a leap year and over the end of a year
        (calendar("month"), "2028-02-29T12:00:00+00:00", "2028-02-01T00:00:00+00:00", "2028-03-01T00:00:00+00:00"),
        (calendar("month"), "2026-12-31T23:59:59+00:00", "2026-12-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00"),
        # still the old month where the organization is
        (
            calendar("month", "America/New_York"),
            "2026-02-01T04:59:59+00:00",
            "2026-01-01T05:00:00+00:00",
            "2026-02-01T05:00:00+00:00",
        ),
        # days of 23 and 25 hours
        (
            calendar("day", "Europe/Berlin"),
            "2026-03-29T12:00:00+02:00",
            "2026-03-29T00:00:00+01:00",
            "2026-03-30T00:00:00+02:00",
        ),
        (
            calendar("day", "Europe/Berlin"),
            "2026-10-25T12:00:00+01:00",
            "2026-10-25T00:00:00+02:00",
            "2026-10-26T00:00:00+01:00",
        ),
        # midnight is skipped: the day begins with the change
        (
            calendar("day", "Asia/Beirut"),
            "2026-03-29T12:00:00+03:00",
            "2026-03-29T00:00:00+02:00",
            "2026-03-30T00:00:00+03:00",
        ),
        # midnight comes twice: the day begins with the first
        (
            calendar("day", "America/Havana"),
            "2026-11-01T12:00:00-05:00",
            "2026-11-01T00:00:00-04:00",
            "2026-11-02T00:00:00-05:00",
        ),
        # a day that never was: Samoa went from the 29th to the 31st
        (
            calendar("day", "Pacific/Apia"),
            "2011-12-29T12:00:00-10:00",
            "2011-12-29T00:00:00-10:00",
            "2011-12-31T00:00:00+14:00",
        ),
    ],
)
def test_period(window: Window, at: str, start: str, end: str) -> None:
    """Start and end of the period, to the second."""
    period = period_of(window, moment(at))
    assert (period.start, period.end) == (moment(start), moment(end))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("unit", ["day", "week", "month"])
def test_periods_follow_each_other_without_gap_or_overlap(unit: str, zone: str) -> None:
    """Walked through from end to end over two years, every moment lies in exactly one period."""
    window = calendar(unit, zone)
    at, end = moment("2025-01-01T00:00:00+00:00"), moment("2027-01-01T00:00:00+00:00")
    period = period_of(window, at)
    while at < end:
        assert period.start <= at < period.end
        assert period_of(window, period.end - 1) == period
        following = period_of(window, period.end)
        assert following.start == period.end
        at, period = following.start, following


@given(
    at=st.integers(moment("1990-01-01T00:00:00+00:00"), moment("2100-01-01T00:00:00+00:00")),
    anchor=st.integers(moment("1990-01-01T00:00:00+00:00"), moment("2100-01-01T00:00:00+00:00")),
    days=st.integers(1, 365),
    zone=st.sampled_from(ZONES),
)
def test_every_days_contains_its_moment_and_keeps_its_anchor(at: int, anchor: int, days: int, zone: str) -> None:
    """The period around a moment, before its anchor or after, begins whole periods from the anchor's day."""
    period = period_of(Window(WindowKind.EVERY_DAYS, days=days, anchor=anchor, time_zone=zone), at)
    assert period.start <= at < period.end
    start, first = (
        (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ns // 1_000)).astimezone(ZoneInfo(zone)).date()
        for ns in (period.start, anchor)
    )
    if zone != "Pacific/Apia":  # which has left out a day
        assert (start - first).days % days == 0


def test_lifetime_never_ends() -> None:
    """One period for all time."""
    assert period_of(LIFETIME, 0) == period_of(LIFETIME, moment("2999-01-01T00:00:00+00:00"))
    assert period_of(LIFETIME, 0).end == NEVER


@pytest.mark.parametrize(
    ("window", "field"),
    [
        (calendar("fortnight"), r"window\.unit"),
        (calendar("day", "Mars/Olympus"), r"window\.time_zone"),
        (calendar("day", "../etc/passwd"), r"window\.time_zone"),
        (Window(WindowKind.EVERY_DAYS, days=0), r"window\.days"),
        (Window(WindowKind.SLIDING, seconds=60), "sliding"),
    ],
)
def test_a_window_that_cannot_be_is_refused_by_name(window: Window, field: str) -> None:
    """Bad input names the field."""
    with pytest.raises(ValueError, match=field):
        period_of(window, 0)
