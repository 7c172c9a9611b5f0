"""A gateway, open: everything of one process, wired together."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from headgate.alerts.target import checked_url
from headgate.base.clock import Clock, SystemClock
from headgate.bootstrap.again import cache_of, open_once
from headgate.bootstrap.alerting import start_alerts
from headgate.bootstrap.books import BookKeeping, Restore, open_books
from headgate.bootstrap.following import follow
from headgate.bootstrap.keeping import kept_objects
from headgate.bootstrap.logs import Logs, start_logs
from headgate.bootstrap.machine import machine_of
from headgate.bootstrap.observing import gauges_of, metrics_page, traces
from headgate.bootstrap.report import report
from headgate.bootstrap.scale import clock_of
from headgate.bootstrap.serving import limits_of, proxies_of
from headgate.bootstrap.signing_on import issuer_of
from headgate.bootstrap.storing import open_storage
from headgate.catalog.catalog import Catalog
from headgate.console.app import create_console
from headgate.console.live import Live
from headgate.console.portal.app import create_portal
from headgate.controlplane.app import create_app
from headgate.controlplane.services import Services, services_on
from headgate.dataplane.answer_cache import AnswerCache
from headgate.dataplane.answer_purges import AnswerPurges
from headgate.dataplane.app import DataPlane, Observer
from headgate.dataplane.door import Door, Trouble
from headgate.dataplane.groups import Groups
from headgate.dataplane.inside import Inside
from headgate.dataplane.kept import Kept
from headgate.dataplane.once import Once
from headgate.dataplane.pipeline import Pipeline
from headgate.dataplane.recall import Cache
from headgate.routing.health import Health
from headgate.settings import Settings
from headgate.storage.analytics.services import analytics_on
from headgate.storage.balances import Balances
from headgate.storage.database import Database
from headgate.storage.pepper import load_log_key, load_pepper
from headgate.storage.refusals import Refusals
from headgate.storage.stores import SqlTransactions
from headgate.storage.usage_writer import UsageWriter
from headgate.telemetry.calls import CallCounts
from headgate.telemetry.page import MetricsPage
from headgate.tenancy.administration import Administration
from headgate.tenancy.directory import Directory
from headgate.tenancy.envelope import Envelope
from headgate.tenancy.following import Contact
from headgate.tenancy.policy_loader import PolicyLoader
from headgate.tenancy.sessions import Span
from headgate.tenancy.vault import Vault
from headgate.upstream.base_url import kept_base_url
from headgate.upstream.client import Client, Limits
from headgate.upstream.fetch import Fetcher
from headgate.upstream.guard import Guard

if TYPE_CHECKING:
    from headgate.bootstrap.sharing import Sharing


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
    logs: Logs
    """What is kept of calls beside their records."""
    metrics: MetricsPage
    sharing: "Sharing | None"
    """How it borrows what it shares with other processes; None: it shares nothing."""
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
    clock = clock_of(settings, clock or SystemClock())
    async with AsyncExitStack() as closing:
        database = await open_storage(settings, clock, closing)
        pepper = await database.write(lambda connection: load_pepper(connection, vault))
        log_key = await database.write(lambda connection: load_log_key(connection, vault))
        catalog = Catalog.load()
        administration = Administration(SqlTransactions(database), clock)
        refusals = Refusals(database, clock)
        kept = await open_books(settings, database, refusals, clock, closing)
        directory = _directory(settings, administration, vault, catalog, pepper, kept.restore, closing)
        guard = Guard(allow_private=settings.allow_private_upstreams)
        client = Client(guard=guard, limits=Limits(connections=settings.max_connections), clock=clock)
        closing.push_async_callback(client.close)
        webhook_guard = Guard(allow_private=settings.allow_private_webhooks)
        cache = cache_of(settings, clock, pepper)
        purges = AnswerPurges(cache.answers, administration.transactions, clock)
        follow(settings, database, directory, purges, administration, kept, closing)
        health = Health(clock)
        once = await open_once(settings, administration.transactions, vault, clock, closing)
        services = services_on(
            administration,
            directory,
            catalog,
            vault,
            pepper,
            Balances(database, kept.restoring.ledger, kept.restoring.written, clock, kept.refresh),
            analytics_on(database, administration, log_key),
            url=settings.reached_at,
            check_url=partial(kept_base_url, guard=guard),
            check_webhook=partial(checked_url, guard=webhook_guard, plain=webhook_guard.allow_private),
            fetch=Fetcher(client, clock),
            forget_answers=purges.carry_out,
            span=Span(idle_s=settings.session_idle_s, lifetime_s=settings.session_lifetime_s),
            machine=machine_of(settings, database, kept, health, clock, closing),
            envelope=None if settings.smtp_url is None else Envelope(pepper),
            issuer=issuer_of(settings, client, clock),
        )
        start_alerts(settings, database, refusals, vault, pepper, webhook_guard, services, closing)
        logs = start_logs(services, closing)
        objects = kept_objects(settings, database, kept, directory, catalog, client, clock, closing)
        pipeline = _pipeline(
            settings, clock, directory, catalog, kept, client, refusals, logs, cache, once, objects, health
        )
        data_plane, counts, metrics, trouble = _watched(
            settings, clock, pipeline, kept, directory, database, logs, cache.answers, closing
        )
        app = _door(settings, services, data_plane, counts, metrics, trouble, closing)
        ended = closing.pop_all()
        usage, sharing = kept.usage, kept.sharing
        return Gateway(
            app, data_plane, administration, services, pepper, database, usage, logs, metrics, sharing, ended
        )


def _pipeline(
    settings: Settings,
    clock: Clock,
    directory: Directory,
    catalog: Catalog,
    kept: BookKeeping,
    client: Client,
    refusals: Refusals,
    logs: Logs,
    cache: Cache,
    once: Once,
    objects: Kept,
    health: Health,
) -> Pipeline:
    return Pipeline(
        directory,
        catalog,
        kept.books,
        Groups(kept.restoring.ledger, kept.restore, clock),
        client,
        clock,
        limits_of(settings),
        refusals.downgraded,
        copy=logs.bodies.copy,
        cache=cache,
        once=once,
        kept=objects,
        health=health,
    )


def _door(
    settings: Settings,
    services: Services,
    data_plane: DataPlane,
    counts: CallCounts,
    metrics: MetricsPage,
    trouble: Trouble,
    closing: AsyncExitStack,
) -> Door:
    live = Live(lambda: data_plane.live, lambda: data_plane.streams)
    inside = Inside(data_plane, report)
    closing.push_async_callback(inside.close)
    console = create_console(services, lambda: counts.refusals, settings.reached_at, live=live, inside=inside)
    portal = create_portal(services, inside, settings.reached_at)
    bound, proxies = settings.max_body_bytes, proxies_of(settings)
    return Door(data_plane, create_app(services), console, portal, metrics, trouble, bound, proxies)


def _watched(
    settings: Settings,
    clock: Clock,
    pipeline: Pipeline,
    kept: BookKeeping,
    directory: Directory,
    database: Database,
    logs: Logs,
    answers: AnswerCache,
    closing: AsyncExitStack,
) -> tuple[DataPlane, CallCounts, MetricsPage, Trouble]:
    """The data plane, what is counted and told of it, and what says why it takes no calls."""
    counts = CallCounts(clock)
    observers: list[Observer] = [counts, *logs.observers, *traces(settings, clock, closing)]
    data_plane = DataPlane(pipeline.serve, clock, limits_of(settings), observers)

    def trouble() -> str | None:
        if data_plane.draining:
            return "draining"
        return "contact with the database is lost" if directory.contact.lost else kept.trouble()

    gauges = gauges_of(data_plane, kept, directory, answers, pipeline.turns, trouble)
    return data_plane, counts, metrics_page(settings, database, counts, gauges), trouble


def _directory(
    settings: Settings,
    administration: Administration,
    vault: Vault,
    catalog: Catalog,
    pepper: bytes,
    restore: Restore,
    closing: AsyncExitStack,
) -> Directory:
    loader = PolicyLoader(administration.transactions, vault, catalog)
    clock = administration.clock
    contact = Contact(clock, None if settings.database_url is None else settings.database_lost_after_s)
    directory = Directory(loader, pepper, clock, report, restore, contact)
    closing.push_async_callback(directory.close)
    administration.on_change(directory.changed)
    return directory
