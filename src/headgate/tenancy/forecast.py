"""When a budget will be used up if calls go on as they did since it began to count."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from headgate.base.clock import NANOS_PER_SECOND
from headgate.tenancy.standing import Budget

SOONEST_S: Final = 3_600
"""Less than an hour says nothing about the hours after it."""
DAY: Final = 86_400 * NANOS_PER_SECOND
FARTHEST: Final = 3_650 * DAY
"""What lasts for ten years lasts."""


class Outlook(StrEnum):
    """What the present rate leads to."""

    USED_UP = "used_up"
    """Nothing is left now."""
    UNUSED = "unused"
    """Nothing was used, so there is no rate."""
    TOO_EARLY = "too_early"
    LASTS = "lasts"
    """It begins to count anew before it is used up, or is good for many years."""
    RUNS_OUT = "runs_out"


@dataclass(frozen=True, slots=True)
class Forecast:
    """`rate` is per day, in the budget's unit, rounded to the nearest; `since` is when the count began."""

    outlook: Outlook
    since: int
    rate: int = 0
    at: int | None = None
    """When it will be used up, where it will."""


def forecast(budget: Budget, began: int, now: int) -> Forecast:
    """`began`: when whoever has the budget came to be, for one that never began anew (wall clock, nanoseconds).

    What is left lasts as long as it took to use as much: left × elapsed ÷ used, in whole nanoseconds.
    """
    since = budget.last_reset_at if budget.last_reset_at is not None else began
    used, left = budget.balance.used, budget.limit.cap - budget.balance.used
    elapsed = now - since
    if left <= 0:
        return Forecast(Outlook.USED_UP, since)
    if used == 0:
        return Forecast(Outlook.UNUSED, since)
    if elapsed < SOONEST_S * NANOS_PER_SECOND:
        return Forecast(Outlook.TOO_EARLY, since)
    rate = (used * DAY + elapsed // 2) // elapsed
    at = now + left * elapsed // used
    resets_at = budget.balance.resets_at
    if at - now > FARTHEST or (resets_at is not None and resets_at <= at):
        return Forecast(Outlook.LASTS, since, rate)
    return Forecast(Outlook.RUNS_OUT, since, rate, at)
