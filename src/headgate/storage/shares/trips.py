"""How often a process asked the authority, and how long it took: for the page of metrics."""

from dataclasses import dataclass, field
from typing import Final

from headgate.base.clock import NANOS_PER_MS, NANOS_PER_SECOND

WITHIN_MS: Final = (1, 2, 5, 10, 25, 100, 500)


def _none() -> dict[str, float]:
    return dict.fromkeys([*(str(each / 1000) for each in WITHIN_MS), "more"], 0)


@dataclass(slots=True)
class Trips:
    """`waited`: decisions that waited for one. `within` counts all trips, each by the seconds it took at most."""

    waited: int = 0
    count: int = 0
    seconds: float = 0.0
    within: dict[str, float] = field(default_factory=_none)

    def took(self, nanos: int) -> None:
        """One more."""
        self.count += 1
        self.seconds += nanos / NANOS_PER_SECOND
        bound = next((str(each / 1000) for each in WITHIN_MS if nanos <= each * NANOS_PER_MS), "more")
        self.within[bound] += 1
