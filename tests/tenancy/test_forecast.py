"""When a budget will be used up at the present rate: exact, and silent where there is nothing to say."""

import pytest

from headgate.ledger.allowance import Allowance, Resource, Scope
from headgate.ledger.balance import Balance
from headgate.tenancy.forecast import DAY, Outlook, forecast
from headgate.tenancy.limits import UTC, UsageLimit
from headgate.tenancy.standing import Budget

HOUR = DAY // 24
START = 20_000 * DAY


def budget(cap: int, used: int, *, resets_at: int | None = START + 30 * DAY, began: int | None = START) -> Budget:
    limit = UsageLimit(Resource.COST, cap, reset="month")
    allowance = Allowance("a", Scope("tenant", "t", "t"), Resource.COST, limit.window(UTC), cap)
    return Budget(limit, Balance(allowance, used, 0, max(cap - used, 0), resets_at), began)


@pytest.mark.parametrize(
    ("cap", "used", "after", "outlook", "at"),
    [
        (100, 100, 10 * DAY, Outlook.USED_UP, None),
        (100, 120, 10 * DAY, Outlook.USED_UP, None),
        (0, 0, 10 * DAY, Outlook.USED_UP, None),
        (100, 0, 10 * DAY, Outlook.UNUSED, None),
        (100, 50, HOUR - 1, Outlook.TOO_EARLY, None),
        (100, 50, HOUR, Outlook.RUNS_OUT, START + 2 * HOUR),
        (100, 50, 10 * DAY, Outlook.RUNS_OUT, START + 20 * DAY),
        (100, 50, 15 * DAY, Outlook.LASTS, None),
        (100, 50, 15 * DAY - 1, Outlook.RUNS_OUT, START + 30 * DAY - 2),
        (100, 10, 10 * DAY, Outlook.LASTS, None),
        (3, 1, 7 * DAY, Outlook.RUNS_OUT, START + 21 * DAY),
    ],
)
def test_what_the_present_rate_leads_to(cap: int, used: int, after: int, outlook: Outlook, at: int | None) -> None:
    """What is left lasts as long as it took to use as much; from the moment on at which it counts anew, it lasts."""
    found = forecast(budget(cap, used), 0, START + after)
    assert (found.outlook, found.at) == (outlook, at)


def test_the_rate_is_per_day() -> None:
    """In the budget's own unit, rounded to the nearest."""
    assert forecast(budget(1_000, 50), 0, START + 10 * DAY).rate == 5
    assert forecast(budget(1_000, 55), 0, START + 10 * DAY).rate == 6
    assert forecast(budget(1_000, 54), 0, START + 10 * DAY).rate == 5


def test_a_budget_for_good_counts_from_its_owner_s_beginning() -> None:
    """One that would last for ages lasts: no year that a calendar does not have."""
    ever = budget(100, 50, resets_at=None, began=None)
    assert forecast(ever, START, START + 10 * DAY).at == START + 20 * DAY
    ages = budget(2**62, 1, resets_at=None, began=None)
    assert forecast(ages, START, START + 10 * DAY).outlook is Outlook.LASTS
