"""What analytics needs of storage. `storage.analytics` implements it on SQL. Every method is one consistent reading."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from headgate.analytics.calls import Calls, Measure, Sums
from headgate.analytics.points import Points


class UsageReader(Protocol):
    """Sums over usage records, exact at every moment. Raises `InvalidRequest` for a question that would have to look at
    too many calls one by one."""

    async def over_time(
        self, calls: Calls, points: Points, *, by: str = "", measure: Measure = Measure.FIGURES
    ) -> Sequence[Mapping[str, Sums]]:
        """For each point what its calls come to, by label; without a label under the empty text."""
        ...

    async def grouped(self, calls: Calls, by: str) -> Mapping[str, Sums]:
        """What all of them come to, by label. A call without a value there is under the empty text."""
        ...
