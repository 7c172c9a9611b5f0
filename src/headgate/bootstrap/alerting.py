"""Alerts: webhooks and letters, sent from the outbox."""

from contextlib import AsyncExitStack
from random import SystemRandom

from headgate.alerts.dispatcher import Dispatcher
from headgate.alerts.letters import LetterSender, MailServer
from headgate.alerts.webhooks import WebhookSender
from headgate.bootstrap.report import report
from headgate.controlplane.services import Services
from headgate.settings import Settings
from headgate.storage.database import Database
from headgate.storage.due_rotations import DueRotations
from headgate.storage.outbox import SqlOutbox
from headgate.storage.refusals import Refusals
from headgate.tenancy.envelope import Envelope
from headgate.tenancy.vault import Vault
from headgate.upstream.client import Client
from headgate.upstream.guard import Guard


def start_alerts(
    settings: Settings,
    database: Database,
    refusals: Refusals,
    vault: Vault,
    pepper: bytes,
    guard: Guard,
    services: Services,
    closing: AsyncExitStack,
) -> None:
    """The dispatcher runs until `closing`. `guard` says where a webhook may lead."""
    clock = services.clock
    client = Client(guard=guard, clock=clock)
    closing.push_async_callback(client.close)
    letters = None
    if settings.smtp_url is not None:
        letters = LetterSender(MailServer.parse(settings.smtp_url), settings.smtp_from, Envelope(pepper), clock)
    dispatcher = Dispatcher(
        SqlOutbox(database, letters=letters is not None, keep_days=settings.alert_retention_days),
        (refusals, DueRotations(database, clock)),
        WebhookSender(client, vault, clock),
        letters,
        services.webhooks.disable,
        clock,
        SystemRandom().random,
        report,
    )
    closing.push_async_callback(dispatcher.close)
    dispatcher.start()
