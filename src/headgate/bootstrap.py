"""The composition root: settings -> stores -> services -> one ASGI application. Only here a concrete store is named."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from random import SystemRandom
from typing import Final

import structlog

from headgate.alerts.dispatcher import Dispatcher
from headgate.alerts.letters import LetterSender, MailServer
from headgate.alerts.target import checked_url
from headgate.alerts.webhooks import WebhookSender
from headgate.base.clock import Clock, SystemClock
from headgate.base.tasks import Tasks
from headgate.catalog.catalog import Catalog
from headgate.controlplane.app import create_app
from headgate.controlplane.services import Services, services_on
from headgate.dataplane.app import DataPlane, Observer
from headgate.dataplane.door import Door
from headgate.dataplane.edge import EdgeLimits
from headgate.dataplane.groups import Groups
from headgate.dataplane.limits import Limits
from headgate.dataplane.pipeline import Pipeline
from headgate.dataplane.server import Server, make_server
from headgate.ledger.ledger import LocalLedger
from headgate.ledger.recovery import Replay
from headgate.settings import BadSetting, Settings
from headgate.storage import migrate
from headgate.storage.alert_rows import AlertedRows
from headgate.storage.analytics.services import analytics_on
from headgate.storage.balances import Balances
from headgate.storage.books import Books
from headgate.storage.database import Database, open_database
from headgate.storage.journal import FileJournal
from headgate.storage.outbox import SqlOutbox
from headgate.storage.pepper import load_pepper
from headgate.storage.refusals import Refusals
from headgate.storage.restoring import Restoring
from headgate.storage.stores import SqlTransactions
from headgate.storage.usage_writer import BATCH, UsageWriter
from headgate.telemetry.calls import CallCounts
from headgate.telemetry.exposition import Exposition, Gauge
from headgate.telemetry.page import MetricsPage
from headgate.tenancy.administration import Administration
from headgate.tenancy.directory import Directory
from headgate.tenancy.policy_loader import PolicyLoader
from headgate.tenancy.vault import Vault
from headgate.upstream.base_url import kept_base_url
from headgate.upstream.client import Client, Deadlines
from headgate.upstream.guard import Guard

log = structlog.get_logger("headgate")

DATABASE_FILE: Final = "headgate.db"
JOURNAL_DIRECTORY: Final = "journal"
MARGIN_S: Final = 60
"""What a call may take besides its provider's answer, at the very most: a connection, a disk that is slow."""
LAST_CONNECTIONS_S: Final = 5
"""How long connections have to take their last bytes, once every call is over."""


def database_url(settings: Settings) -> str:
    """The PostgreSQL database of the settings, or the SQLite file of the data directory."""
    return settings.database_url or f"sqlite:///{settings.data_dir.absolute() / DATABASE_FILE}"


@dataclass(frozen=True, slots=True)
class Gateway:
    """All that runs in one process, open: `drain` and then `close` end it."""

    app: Door
    data_plane: DataPlane
    administration: Administration
    services: Services
    pepper: bytes
    database: Database
    usage: UsageWriter
    """Flushed, every call that was settled is in the database."""
    _closing: AsyncExitStack

    async def drain(self, deadline_s: float) -> None:
        """Refuse new calls; wait for those under way, and end at the deadline what is left of them."""
        await self.data_plane.drain(deadline_s)

    async def close(self) -> None:
        """Write down what is left, then close everything."""
        await self._closing.aclose()


async def open_gateway(settings: Settings, vault: Vault, clock: Clock | None = None) -> Gateway:
    """Bring the schema up to date, settle what the journal holds, and wire everything together.

    The caller has the data directory to itself. Raises `HeadgateError`; then nothing is left open.
    """
    clock = clock or SystemClock()
    async with AsyncExitStack() as closing:
        database = await open_database(database_url(settings))
        closing.push_async_callback(database.close)
        await migrate.upgrade(database)
        pepper = await database.write(lambda connection: load_pepper(connection, vault))
        catalog = Catalog.load()
        administration = Administration(SqlTransactions(database), clock)
        refusals = Refusals(database, clock)
        books, usage, restoring, writing = await _books(settings, database, refusals, clock, closing)
        loader = PolicyLoader(administration.transactions, vault, catalog)
        directory = _directory(administration, loader, pepper, restoring, closing)
        guard = Guard(allow_private=settings.allow_private_upstreams)
        webhook_guard = Guard(allow_private=settings.allow_private_webhooks)
        balances = Balances(database, restoring.ledger, restoring.written, clock)
        services = services_on(
            administration,
            directory,
            catalog,
            vault,
            pepper,
            balances,
            analytics_on(database, administration),
            url=settings.url,
            check_url=partial(kept_base_url, guard=guard),
            check_webhook=partial(checked_url, guard=webhook_guard, plain=webhook_guard.allow_private),
        )
        _start_alerts(settings, database, refusals, vault, webhook_guard, services, closing)
        client = Client(guard=guard, clock=clock)
        closing.push_async_callback(client.close)
        limits = _limits(settings)
        groups = Groups(restoring.ledger, restoring, clock)
        pipeline = Pipeline(directory, catalog, books, groups, client, clock, limits, refusals.downgraded)
        counts = CallCounts(clock)
        data_plane = DataPlane(pipeline.serve, clock, limits, [counts, *_traces(settings, clock, closing)])

        def trouble() -> str | None:
            return "draining" if data_plane.draining else writing()

        gauges = [
            Gauge("headgate_calls_live", "Calls under way.", lambda: data_plane.live),
            Gauge("headgate_holds", "Calls that hold allowances.", lambda: len(restoring.ledger)),
            Gauge("headgate_records_waiting", "Settled calls that wait for the database.", lambda: usage.waiting),
            Gauge("headgate_policies", "API keys in memory.", lambda: len(directory)),
            Gauge("headgate_ready", "1 while calls are taken.", lambda: trouble() is None),
        ]
        metrics = _metrics(settings, database, counts, gauges)
        app = Door(data_plane, create_app(services), metrics, trouble, settings.max_body_bytes)
        return Gateway(app, data_plane, administration, services, pepper, database, usage, closing.pop_all())


def server_for(app: Door, settings: Settings) -> Server:
    """The HTTP server, with the bounds of the settings. What drains is drained before it is asked to end."""
    limits = EdgeLimits(
        head=settings.max_header_bytes,
        headers=settings.max_headers,
        body=settings.max_body_bytes,
        head_s=settings.head_timeout_s,
        idle_s=settings.keep_alive_s,
        write_s=settings.write_timeout_s,
        connections=settings.max_connections,
    )
    return make_server(
        app, settings.host, settings.port, calls=app.data_plane, limits=limits, drain_s=LAST_CONNECTIONS_S
    )


def _limits(settings: Settings) -> Limits:
    deadlines = Deadlines(
        connect_s=settings.connect_timeout_s,
        first_byte_s=settings.first_byte_timeout_s,
        idle_s=settings.idle_timeout_s,
        total_s=settings.total_timeout_s,
    )
    return Limits(
        body=settings.max_body_bytes,
        body_within_s=settings.body_timeout_s,
        answer=settings.max_answer_bytes,
        after_hangup_s=settings.read_after_hangup_s,
        default_max_output=settings.default_max_output_tokens,
        deadlines=deadlines,
    )


def _directory(
    administration: Administration,
    loader: PolicyLoader,
    pepper: bytes,
    restoring: Restoring,
    closing: AsyncExitStack,
) -> Directory:
    directory = Directory(loader, pepper, administration.clock, _report, restoring)
    closing.push_async_callback(directory.close)
    administration.on_change(directory.changed)
    tasks = Tasks(_report)
    tasks.start(directory.watch(), "policy poll")
    closing.push_async_callback(tasks.close)
    return directory


def _start_alerts(
    settings: Settings,
    database: Database,
    refusals: Refusals,
    vault: Vault,
    guard: Guard,
    services: Services,
    closing: AsyncExitStack,
) -> None:
    clock = services.clock
    client = Client(guard=guard, clock=clock)
    closing.push_async_callback(client.close)
    letters = None
    if settings.smtp_url is not None:
        letters = LetterSender(MailServer.parse(settings.smtp_url), settings.smtp_from, clock)
    dispatcher = Dispatcher(
        SqlOutbox(database, letters=letters is not None),
        refusals,
        WebhookSender(client, vault, clock),
        letters,
        services.webhooks.disable,
        clock,
        SystemRandom().random,
        _report,
    )
    closing.push_async_callback(dispatcher.close)
    dispatcher.start()


def _traces(settings: Settings, clock: Clock, closing: AsyncExitStack) -> list[Observer]:
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


def _metrics(settings: Settings, database: Database, counts: CallCounts, gauges: list[Gauge]) -> MetricsPage:
    deliveries: dict[str, float] = {}

    async def refresh() -> None:
        deliveries.update(await SqlOutbox(database, letters=False).counts())

    told = Gauge("headgate_alert_deliveries", "Alerts in the outbox.", lambda: deliveries, label="status")
    return MetricsPage(Exposition(counts, [*gauges, told]), settings.metrics_token, refresh)


async def _books(
    settings: Settings, database: Database, refusals: Refusals, clock: Clock, closing: AsyncExitStack
) -> tuple[Books, UsageWriter, Restoring, Callable[[], str | None]]:
    """The books, what files them and what looks into the past, and why nothing can be written now (None: it can)."""
    later = asyncio.get_running_loop().call_soon
    journal, replay = FileJournal.open(
        settings.data_dir / JOURNAL_DIRECTORY, sync=settings.journal_sync == "group", later=later
    )
    closing.callback(journal.close)
    rows = AlertedRows(clock)
    await _settle_what_was_left(journal, replay, database, rows, clock)
    writer = UsageWriter(database, on_written=journal.checkpoint, on_failure=_report, insert=rows.insert)
    closing.push_async_callback(writer.close)
    writer.start()

    def trouble() -> str | None:
        if journal.failure is not None:
            return "the journal cannot be written"
        return "the database is behind" if writer.full else None

    ledger = LocalLedger(clock, journal)
    books = Books(ledger, journal, writer, refusals.note)
    return books, writer, Restoring(database, ledger, writer, clock, settings.total_timeout_s + MARGIN_S), trouble


async def _settle_what_was_left(
    journal: FileJournal, replay: Replay, database: Database, rows: AlertedRows, clock: Clock
) -> None:
    """Every call that a provider may have billed gets its record, before the first new call is taken."""
    records = replay.records(clock.now())
    for start in range(0, len(records), BATCH):
        await database.write(partial(rows.insert, records=records[start : start + BATCH]))
    journal.discard_replayed()
    if replay.entries:
        log.info(
            "journal replayed",
            entries=replay.entries,
            settled=len(replay.settled),
            unfinished=len(replay.unfinished),
            torn_bytes=replay.torn,
        )


def _report(what: str, error: BaseException) -> None:
    log.error(what, error=f"{type(error).__name__}: {error}")
