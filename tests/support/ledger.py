"""A clock that stands still, and short ways to say allowances, amounts and records."""

from headgate.base.clock import NANOS_PER_SECOND
from headgate.ledger.allowance import LIFETIME, Allowance, Resource, Scope, Window, WindowKind
from headgate.ledger.journal import Entry
from headgate.ledger.record import Outcome, UsageRecord

NOON = 1_767_268_800 * NANOS_PER_SECOND
"""2026-01-01T12:00:00Z, a Thursday."""
MONTH = Window(WindowKind.CALENDAR, unit="month")
DAY = Window(WindowKind.CALENDAR, unit="day")
MINUTE = Window(WindowKind.SLIDING, seconds=60)


class ManualClock:
    """Moves only when told to. The two clocks start far apart, so that mixing them up does not go unseen."""

    def __init__(self, wall: int = NOON) -> None:
        self._wall = wall
        self._steady = 7_000 * NANOS_PER_SECOND

    def now(self) -> int:
        return self._wall

    def monotonic(self) -> int:
        return self._steady

    def pass_ns(self, nanoseconds: int) -> None:
        self._wall += nanoseconds
        self._steady += nanoseconds

    def pass_s(self, seconds: float) -> None:
        self.pass_ns(round(seconds * NANOS_PER_SECOND))

    def jump_s(self, seconds: float) -> None:
        """The wall clock is set; no time passes."""
        self._wall += round(seconds * NANOS_PER_SECOND)

    def reboot(self) -> None:
        """A monotonic clock means nothing to the next process."""
        self._steady = 3 * NANOS_PER_SECOND


class KeptEntries:
    """A journal for tests that are not about the disk."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def admit(self) -> None:
        """Any call may begin."""

    def append(self, entry: Entry) -> None:
        self.entries.append(entry)

    def flush(self) -> None:
        """Nothing to do."""


def allowance(name: str, resource: Resource, cap: int, window: Window = LIFETIME) -> Allowance:
    return Allowance(name, Scope("api_key", name), resource, window, cap)


def record(
    request_id: str,
    *,
    key: str = "key",
    at: int = NOON,
    ended_after: int = 0,
    input_tokens: int = 0,
    output_tokens: int = 0,
    cost: int = 0,
) -> UsageRecord:
    return UsageRecord(
        request_id=request_id,
        trace_id="trace",
        organization_id="org",
        workspace_id="workspace",
        key_id=key,
        integration_id="integration",
        provider="openai",
        provider_kind="openai",
        endpoint="/v1/chat/completions",
        model_asked="model",
        model="model",
        stream=False,
        started_at=at,
        ended_after=ended_after,
        outcome=Outcome.OK,
        status=200,
        usage={"input": input_tokens, "output": output_tokens},
        cost=cost,
    )
