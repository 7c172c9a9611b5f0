"""What analytics needs of storage. `storage.analytics` implements it on SQL. Every method is one consistent reading."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from headgate.analytics.calls import Calls, Sums
from headgate.analytics.kept import Feedback, KeptBody, SentLog
from headgate.analytics.points import Points
from headgate.ledger.record import UsageRecord
from headgate.tenancy.usage_export import UsageExport

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

    async def series(
        self, calls: Calls, points: Points, by: str, *, latencies: bool = False
    ) -> Sequence[Mapping[str, Sums]]:
        """For each point what its calls come to, by label; histograms as in `over_time`, not yet tidy."""
        ...

    async def grouped(self, calls: Calls, by: str, *, latencies: bool = False) -> Mapping[str, Sums]:
        """What all of them come to, by label; without a label under the empty text. Histograms as in `series`."""
        ...


class LogReader(Protocol):
    """Usage records themselves."""

    async def latest(self, calls: Calls, before: Place | None, limit: int) -> Sequence[UsageRecord]:
        """The latest first, from `before` on. Raises `InvalidRequest` as `UsageReader` does."""
        ...

    async def after(self, calls: Calls, place: Place | None, limit: int) -> Sequence[UsageRecord]:
        """The first first, from `place` on."""
        ...


@dataclass(frozen=True, slots=True)
class ExportPart:
    """Some lines of an export's file."""

    export_id: str
    number: int
    records: int
    sealed: bytes


ExportProgress = tuple[Place | None, int]
"""The last record that is written, and the number of the next part."""


class ExportFiles(Protocol):
    """The files of exports, in parts. Every method is one transaction and raises `Unavailable`."""

    async def unfinished(self, now: int) -> Sequence[UsageExport]:
        """Those that are in progress, and nobody writes now."""
        ...

    async def lease(self, export_id: str, now: int, until: int) -> ExportProgress | None:
        """Take it. None: somebody else has, or it was stopped."""
        ...

    async def add(self, part: ExportPart, place: Place | None, until: int) -> bool:
        """One more, and how far it is with it. False: it was stopped."""
        ...

    async def finish(self, export_id: str, now: int, reason: str = "") -> None:
        """It is whole, or failed for this reason; unless it was stopped."""
        ...

    async def part(self, export_id: str, number: int) -> bytes | None:
        """Sealed. None: there is none, or no longer."""
        ...

    async def forget(self, before: int) -> int:
        """Remove some parts of what was whole before then, was stopped or failed; how many. 0: none are left."""
        ...


class BodyStore(Protocol):
    """Sealed bodies of calls, and logs that were sent in."""

    async def add(self, bodies: Sequence[KeptBody]) -> None: ...
    async def get(self, organization_id: str, request_ids: Sequence[str]) -> Sequence[KeptBody]:
        """Those of them that are kept, in any order."""
        ...

    async def add_sent(self, logs: Sequence[SentLog]) -> None: ...
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
    async def of_trace(self, organization_id: str, trace_id: str) -> Sequence[Feedback]:
        """The first first; at most a hundred."""
        ...

    async def update(self, feedback: Feedback) -> None: ...
    async def scores(self, calls: Calls, *, by_model: bool) -> Sequence[Score]:
        """Of that time, in those workspaces and of those tenants; other filters say nothing about feedback."""
        ...
