"""When a delivery that failed is tried again, and when there is no point any more."""

from collections.abc import Callable
from typing import Final

from headgate.base.clock import NANOS_PER_SECOND

FIRST_PAUSE_S: Final = 5
LONGEST_PAUSE_S: Final = 12 * 3600
GROWTH: Final = 4
JITTER: Final = 0.2
"""A pause is longer by up to this part of it, so that what failed together does not come back together."""
GIVE_UP_AFTER_S: Final = 3 * 86_400
DISABLE_AFTER_S: Final = 2 * 86_400
"""A webhook that nothing got through to for so long is disabled."""
GONE: Final = 410
"""What a receiver answers that wants no more."""

Random = Callable[[], float]
"""A number from 0 to 1."""


def next_attempt_at(attempts: int, started_at: int, now: int, random: Random) -> int | None:
    """The moment (nanoseconds) of the next attempt after so many, at least one; None to give up.

    Pauses of 5 s, 20 s, 80 s, 5 min, 21 min, 1.4 h, 5.7 h and then 12 h, until three days have passed.
    """
    pause = min(FIRST_PAUSE_S * GROWTH ** min(attempts - 1, 16), LONGEST_PAUSE_S)
    at = now + round(pause * (1 + JITTER * random()) * NANOS_PER_SECOND)
    return at if at - started_at <= GIVE_UP_AFTER_S * NANOS_PER_SECOND else None


def is_dead(status: int | None, failing_since: int, now: int) -> str | None:
    """Why a webhook whose last attempt failed should be disabled; None: not yet."""
    if status == GONE:
        return "It answered 410 Gone."
    if now - failing_since >= DISABLE_AFTER_S * NANOS_PER_SECOND:
        return f"Nothing got through for {DISABLE_AFTER_S // 86_400} days."
    return None
