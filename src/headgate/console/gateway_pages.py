"""The table of the pages about the gateway itself: where calls go, what checks them, who is told, how it stands."""

from typing import Final

from headgate.console import alerts, configs, dry_run, guardrails, routing, system, webhooks
from headgate.console.visit import Page

GATEWAY_PAGES: Final[tuple[tuple[str, str, Page, tuple[str, ...]], ...]] = (
    ("GET", "/routing", routing.show, routing.READ),
    ("POST", "/routing", routing.update, routing.UPDATE),
    ("GET", "/dry-run", dry_run.show, dry_run.SCOPES),
    ("POST", "/dry-run", dry_run.run, dry_run.SCOPES),
    ("GET", "/configs", configs.listed, ("configs.list",)),
    ("GET", "/configs/new", configs.new, ("configs.create",)),
    ("POST", "/configs/new", configs.create, ("configs.create",)),
    ("GET", "/configs/{config}", configs.show, ("configs.read",)),
    ("GET", "/configs/{config}/edit", configs.edit, ("configs.update",)),
    ("POST", "/configs/{config}/edit", configs.update, ("configs.update",)),
    ("POST", "/configs/{config}/default", configs.default, ("configs.update",)),
    ("POST", "/configs/{config}/remove", configs.remove, ("configs.delete",)),
    ("GET", "/guardrails", guardrails.listed, guardrails.scopes("list")),
    ("GET", "/guardrails/new", guardrails.new, guardrails.scopes("create")),
    ("POST", "/guardrails/new", guardrails.create, guardrails.scopes("create")),
    ("GET", "/guardrails/{guardrail}", guardrails.show, guardrails.scopes("read")),
    ("GET", "/guardrails/{guardrail}/edit", guardrails.edit, guardrails.scopes("update")),
    ("POST", "/guardrails/{guardrail}/edit", guardrails.update, guardrails.scopes("update")),
    ("POST", "/guardrails/{guardrail}/remove", guardrails.remove, guardrails.scopes("delete")),
    ("GET", "/alerts", alerts.show, ("webhooks.read",)),
    ("POST", "/alerts", alerts.update, ("webhooks.update",)),
    ("GET", "/webhooks", webhooks.listed, ("webhooks.list",)),
    ("GET", "/webhooks/new", webhooks.new, ("webhooks.create",)),
    ("POST", "/webhooks/new", webhooks.create, ("webhooks.create",)),
    ("GET", "/webhooks/{webhook}", webhooks.show, ("webhooks.read",)),
    ("GET", "/webhooks/{webhook}/edit", webhooks.edit, ("webhooks.update",)),
    ("POST", "/webhooks/{webhook}/edit", webhooks.update, ("webhooks.update",)),
    ("POST", "/webhooks/{webhook}/switch", webhooks.switch, ("webhooks.update",)),
    ("POST", "/webhooks/{webhook}/test", webhooks.test, ("webhooks.update",)),
    ("POST", "/webhooks/{webhook}/rotate", webhooks.rotate, ("webhooks.update",)),
    ("POST", "/webhooks/{webhook}/remove", webhooks.remove, ("webhooks.delete",)),
    ("POST", "/webhooks/{webhook}/deliveries/{delivery}/replay", webhooks.replay, ("webhooks.update",)),
    ("GET", "/system", system.show, system.READ),
    ("GET", "/system/verify", system.progress, system.READ),
    ("POST", "/system/verify", system.verify, system.UPDATE),
)
"""As `pages.PAGES`."""
