"""What analytics needs of storage. `storage.analytics` implements it on SQL. Every method is one consistent reading."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from headgate.analytics.calls import Calls, Sums
from headgate.analytics.kept import Feedback, KeptBody, SentLog
from headgate.analytics.points import Points
from headgate.ledger.record import UsageRecord

Place = tuple[int, str]
"""Of a record in the order of all: `started_at` and `request_id`."""


class UsageReader(Protocol):
    """Sums over usage records, exact at every moment. Raises `InvalidRequest` for a question that would have to look at
    too many calls one by one."""

    async def over_time(self, calls: Calls, points: Points, *, latencies: bool = False) -> Sequence[Sums]:
        """For each point what its calls come to; with histograms of their latencies only where that is asked for."""
        ...

    async def counted(self, calls: Calls, points: Points, by: str) -> Sequence[Mapping[str, int]]:
        """For each point how many requests there were, by label. One without a value there is under the empty text."""
        ...

    async def grouped(self, calls: Calls, by: str) -> Mapping[str, Sums]:
        """What all of them come to, by label; without a label under the empty text."""
        ...


class LogReader(Protocol):
    """Usage records themselves."""

    async def latest(self, calls: Calls, before: Place | None, limit: int) -> Sequence[UsageRecord]:
        """The latest first, from `before` on. Raises `InvalidRequest` as `UsageReader` does."""
        ...

    async def after(self, calls: Calls, place: Place | None, limit: int) -> Sequence[UsageRecord]:
        """The first first, from `place` on."""
        ...


class BodyStore(Protocol):
    """Sealed bodies of calls, and logs that were sent in."""

    async def add(self, bodies: Sequence[KeptBody]) -> None: ...
    async def get(self, organization_id: str, request_id: str) -> KeptBody | None: ...
    async def add_sent(self, log: SentLog) -> None: ...
    async def sent(self, organization_id: str, log_id: str) -> SentLog | None: ...
    async def forget(self, now: int) -> int:
        """Remove some of those whose time is over; how many. 0: none are left."""
        ...


Score = tuple[int, str, int, int, int]
"""First second of a quarter of an hour, model (empty where no call is known), value, how many, their weights."""


class FeedbackStore(Protocol):
    """Feedback, and the sums over it."""

    async def add(self, feedback: Sequence[Feedback]) -> None: ...
    async def get(self, organization_id: str, feedback_id: str) -> Feedback | None: ...
    async def update(self, feedback: Feedback) -> None: ...
    async def scores(self, calls: Calls, *, by_model: bool) -> Sequence[Score]:
        """Of that time, in those workspaces and of those tenants; other filters say nothing about feedback."""
        ...
