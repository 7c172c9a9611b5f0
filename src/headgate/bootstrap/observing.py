"""What an operator's tools see: the page of metrics, and traces where they are asked for."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

from headgate.base.clock import Clock
from headgate.bootstrap.books import BookKeeping
from headgate.dataplane.answer_cache import AnswerCache
from headgate.dataplane.app import DataPlane, Observer
from headgate.dataplane.turns import Turns
from headgate.settings import BadSetting, Settings
from headgate.storage.database import Database
from headgate.storage.outbox import SqlOutbox
from headgate.telemetry.calls import CallCounts
from headgate.telemetry.exposition import Exposition, Gauge
from headgate.telemetry.page import MetricsPage
from headgate.tenancy.directory import Directory


def traces(settings: Settings, clock: Clock, closing: AsyncExitStack) -> list[Observer]:
    """Raises `BadSetting` where they are asked for and the extra is not installed."""
    if settings.otlp_endpoint is None:
        return []
    try:
        from headgate.telemetry.traces import Traces
    except ModuleNotFoundError as missing:
        raise BadSetting("`otlp_endpoint` needs OpenTelemetry: install `headgate[otel]`.") from missing
    traces = Traces(settings.otlp_endpoint, clock)
    closing.push_async_callback(asyncio.to_thread, traces.close)
    return [traces]


def gauges_of(
    data_plane: DataPlane,
    kept: BookKeeping,
    directory: Directory,
    answers: AnswerCache,
    turns: Turns,
    trouble: Callable[[], str | None],
) -> list[Gauge]:
    """How the process stands at this moment. `trouble` says why it takes no calls."""
    return [
        Gauge("headgate_calls_live", "Calls under way.", lambda: data_plane.live),
        Gauge("headgate_holds", "Calls that hold allowances.", lambda: len(kept.restoring.ledger)),
        Gauge("headgate_records_waiting", "Settled calls that wait for the database.", lambda: kept.usage.waiting),
        Gauge("headgate_policies", "API keys in memory.", lambda: len(directory)),
        Gauge("headgate_cached_answers", "Answers in the cache.", lambda: len(answers)),
        Gauge("headgate_cached_bytes", "What they take of memory.", lambda: answers.size),
        Gauge("headgate_capacity_waiting", "Calls that wait for a turn.", lambda: turns.waiting, label="provider"),
        Gauge("headgate_capacity_turns", "Turns given.", lambda: turns.given, label="provider", counts=True),
        Gauge("headgate_capacity_refusals", "Turns refused.", lambda: turns.refused, label="provider", counts=True),
        Gauge("headgate_ready", "1 while calls are taken.", lambda: trouble() is None),
        *_of_shares(kept),
    ]


def _of_shares(kept: BookKeeping) -> list[Gauge]:
    """Where allowances are shared: how often that costs a call a round trip, and how long those take."""
    if kept.sharing is None:
        return []
    ledger, borrowing = kept.restoring.ledger, kept.sharing.borrowing
    trips = borrowing.trips
    return [
        Gauge("headgate_share_decisions", "Holds that were asked for.", lambda: ledger.decisions, counts=True),
        Gauge("headgate_share_waits", "Those that waited for a round trip.", lambda: trips.waited, counts=True),
        Gauge("headgate_share_trips", "Round trips, by seconds.", lambda: trips.within, label="within", counts=True),
        Gauge("headgate_share_trip_seconds", "What they took together.", lambda: trips.seconds, counts=True),
        Gauge("headgate_shares_held", "Allowances of which something is borrowed.", lambda: borrowing.held),
    ]


def metrics_page(settings: Settings, database: Database, counts: CallCounts, gauges: list[Gauge]) -> MetricsPage:
    """The gauges given, the counts of calls, and how the outbox stands."""
    deliveries: dict[str, float] = {}

    async def refresh() -> None:
        deliveries.update(await SqlOutbox(database, letters=False).counts())

    told = Gauge("headgate_alert_deliveries", "Alerts in the outbox.", lambda: deliveries, label="status")
    return MetricsPage(Exposition(counts, [*gauges, told]), settings.metrics_token, refresh)
