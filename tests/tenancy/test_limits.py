"""Budgets and rate limits, as written and as allowances."""

from decimal import Decimal
from typing import Any

import pytest

from headgate.base.errors import InvalidRequest
from headgate.ledger.allowance import LIFETIME, Resource, Scope, Window, WindowKind
from headgate.ledger.period import period_of
from headgate.tenancy import limit_rules, moments
from headgate.tenancy.limits import RateLimit, UsageLimit, Zone, allowances

DAY = 86_400 * 10**9
NOW = 1_800_000_000_000_000_000
KEY = Scope("api_key", "k1", "name")


def usage(value: object) -> tuple[UsageLimit, ...]:
    return limit_rules.usage_limits(value, now=NOW)


@pytest.mark.parametrize(
    ("written", "nanos"),
    [
        (100.0, 100_000_000_000),
        (100, 100_000_000_000),
        ("12.5", 12_500_000_000),
        (0.1, 100_000_000),
        (0.000000001, 1),
        (Decimal("0.3"), 300_000_000),
        (0, 0),
        (1_000_000_000, 10**18),
    ],
)
def test_dollars_become_nano_dollars_exactly(written: object, nanos: int) -> None:
    """By the shortest text of a number: 0.1 is a tenth."""
    assert usage({"type": "cost", "credit_limit": written})[0].cap == nanos


@pytest.mark.parametrize(
    "written", [True, None, "x", -0.01, float("nan"), float("inf"), 1e-10, 10**10, [], {}, "1e999999999"]
)
def test_what_is_no_amount_is_refused(written: object) -> None:
    """By name, and never rounded away."""
    with pytest.raises(InvalidRequest) as refused:
        usage({"type": "cost", "credit_limit": written})
    assert refused.value.param == "usage_limits.credit_limit"


@pytest.mark.parametrize(
    ("written", "identifier", "window"),
    [
        ({"credit_limit": 1}, "api_key:k1:cost:lifetime", LIFETIME),
        (
            {"credit_limit": 1, "periodic_reset": "monthly"},
            "api_key:k1:cost:month~Europe/Berlin",
            Window(WindowKind.CALENDAR, unit="month", time_zone="Europe/Berlin"),
        ),
        (
            {"type": "tokens", "credit_limit": 1, "periodic_reset": "weekly"},
            "api_key:k1:tokens:week~Europe/Berlin",
            Window(WindowKind.CALENDAR, unit="week", time_zone="Europe/Berlin"),
        ),
        (
            {"type": "requests", "credit_limit": 1, "periodic_reset": "daily"},
            "api_key:k1:requests:day~Europe/Berlin",
            Window(WindowKind.CALENDAR, unit="day", time_zone="Europe/Berlin"),
        ),
        (
            {"credit_limit": 1, "periodic_reset_days": 30},
            f"api_key:k1:cost:every-30-days-from-{NOW}~Europe/Berlin",
            Window(WindowKind.EVERY_DAYS, days=30, anchor=NOW, time_zone="Europe/Berlin"),
        ),
    ],
)
def test_a_budget_becomes_an_allowance(written: dict[str, Any], identifier: str, window: Window) -> None:
    """Its id names owner, resource, window and zone, and does not depend on the cap."""
    for cap in (1, 2):
        (allowance,) = allowances(KEY, usage({**written, "credit_limit": cap}), (), zone=Zone("Europe/Berlin"))
        assert (allowance.id, allowance.window, allowance.scope) == (identifier, window, KEY)


@pytest.mark.parametrize(("unit", "seconds"), [("rps", 1), ("rpm", 60), ("rph", 3600), ("rpd", 86400), ("rpw", 604800)])
def test_a_rate_becomes_a_sliding_window(unit: str, seconds: int) -> None:
    """Of the unit's length; 0 blocks."""
    limits = limit_rules.rate_limits([{"type": "tokens", "unit": unit, "value": 0}])
    (allowance,) = allowances(KEY, (), limits)
    assert allowance.window == Window(WindowKind.SLIDING, seconds=seconds)
    assert (allowance.id, allowance.cap) == (f"api_key:k1:tokens:{unit}", 0)


def test_calls_in_flight_have_no_unit() -> None:
    """They are given back when they end."""
    (limit,) = limit_rules.rate_limits({"type": "in_flight", "value": 3})
    assert limit == RateLimit(Resource.IN_FLIGHT, None, 3)
    with pytest.raises(InvalidRequest):
        limit_rules.rate_limits({"type": "in_flight", "unit": "rpm", "value": 3})


def test_an_every_days_limit_keeps_its_first_day() -> None:
    """A raised cap does not start the period again; another length does."""
    first = usage({"credit_limit": 1, "periodic_reset_days": 30})
    later = NOW + 5
    raised = limit_rules.usage_limits({"credit_limit": 2, "periodic_reset_days": 30}, now=later, previous=first)
    other = limit_rules.usage_limits({"credit_limit": 2, "periodic_reset_days": 31}, now=later, previous=first)
    assert (raised[0].anchor, other[0].anchor) == (NOW, later)


def test_the_first_reset_of_an_every_days_limit_may_be_said() -> None:
    """From then on every so many days, at midnight there; whoever sends it back later means no other day."""
    first = "2026-03-20T00:00:00+01:00"
    at = moments.from_iso(first, "at")
    sent = {"credit_limit": 1, "periodic_reset_days": 30, "next_usage_reset_at": first}
    now = at - 12 * DAY
    (limit,) = limit_rules.usage_limits(sent, now=now)
    (allowance,) = allowances(KEY, (limit,), (), zone=Zone("Europe/Berlin"))
    period = period_of(allowance.window, now)
    assert (period.end, (period.end - period.start) // DAY) == (at, 30)
    later = {**sent, "next_usage_reset_at": "2026-03-25T00:00:00+01:00"}
    assert limit_rules.usage_limits(later, now=now, previous=(limit,))[0].anchor == limit.anchor
    for wrong in ("2026-03-07", "2026-04-30", "soon"):
        with pytest.raises(InvalidRequest) as refused:
            limit_rules.usage_limits({**sent, "next_usage_reset_at": wrong}, now=now)
        assert refused.value.param == "usage_limits.next_usage_reset_at"


@pytest.mark.parametrize(
    ("limits", "param"),
    [
        ([{"credit_limit": 1}, {"credit_limit": 2}], "usage_limits"),
        (
            {"credit_limit": 1, "periodic_reset": "monthly", "periodic_reset_days": 3},
            "usage_limits.periodic_reset_days",
        ),
        ({"credit_limit": 1, "periodic_reset_days": 366}, "usage_limits.periodic_reset_days"),
        ({"credit_limit": 1, "periodic_reset_days": 0}, "usage_limits.periodic_reset_days"),
        ({"type": "tokens", "credit_limit": 1.5}, "usage_limits.credit_limit"),
        ({"type": "money", "credit_limit": 1}, "usage_limits.type"),
        (["x"], "usage_limits[0]"),
        ("x", "usage_limits"),
    ],
)
def test_limits_that_cannot_be_are_refused(limits: object, param: str) -> None:
    """With the field, also inside a list."""
    with pytest.raises(InvalidRequest) as refused:
        usage(limits)
    assert refused.value.param == param


def test_what_is_stored_reads_back_the_same() -> None:
    """Every kind of limit."""
    for limit in usage([{"credit_limit": 1, "periodic_reset_days": 3}, {"type": "tokens", "credit_limit": 5}]):
        assert UsageLimit.stored(limit.document()) == limit
    for rate in limit_rules.rate_limits(
        [{"type": "requests", "unit": "rpm", "value": 1}, {"type": "in_flight", "value": 2}]
    ):
        assert RateLimit.stored(rate.document()) == rate
