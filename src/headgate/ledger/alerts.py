"""When the use of an allowance is worth a word: thresholds, and which of them were just reached.

Pure: what was told before is handed in, what to tell comes out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from headgate.base.money import ceil_div

DEFAULT_PERCENTS: Final = (80, 90, 100)
ABSOLUTE: Final = "alert_threshold"
"""Names the threshold that an administrator wrote as an amount."""
EXHAUSTED: Final = "exhausted"
"""Names the cap itself."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """Reached when the settled use is `amount` or more, in the resource's unit. The name is what is remembered."""

    name: str
    amount: int


@dataclass(frozen=True, slots=True)
class Crossing:
    """What one more settlement brought about."""

    reached: tuple[Threshold, ...]
    """To be told now, the lowest first."""
    rearmed: frozenset[str]
    """Names of those told before that lay above the use again, because the cap was raised. Some may be in `reached`."""


def thresholds_of(cap: int, absolute: int | None, percents: Sequence[int]) -> tuple[Threshold, ...]:
    """The thresholds of an allowance, the lowest first. A cap of 0 blocks from the start and has none."""
    if cap <= 0:
        return ()
    found = [Threshold(f"{percent}%", ceil_div(cap * percent, 100)) for percent in percents]
    if absolute is not None and absolute > 0:
        found.append(Threshold(ABSOLUTE, absolute))
    return tuple(sorted(found, key=lambda threshold: threshold.amount))


def crossing(thresholds: Sequence[Threshold], before: int, after: int, told: Mapping[str, int]) -> Crossing:
    """What to tell when settled use went from `before` to `after` in one window, where `told` was told before: the
    names, each with the amount that it stood at.

    A threshold that was told, and then moved up above the use, is told anew when it is reached again. One that was
    moved below the use is told at once.
    """
    rearmed = frozenset(each.name for each in thresholds if before < each.amount > told.get(each.name, each.amount))
    reached = tuple(
        each for each in thresholds if after >= each.amount and (each.name not in told or each.name in rearmed)
    )
    return Crossing(reached, rearmed)
