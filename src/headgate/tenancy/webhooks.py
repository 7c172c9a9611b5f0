"""Making webhooks, trying them, and looking at what was delivered."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from headgate.base.clock import NANOS_PER_SECOND
from headgate.base.errors import InvalidRequest
from headgate.base.ids import RandomBytes
from headgate.tenancy import rules
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.alert_events import test_event, webhook_disabled_event
from headgate.tenancy.outbox import Attempt, Delivery, DeliveryStatus, Event
from headgate.tenancy.principal import Principal, not_found
from headgate.tenancy.stores import Page, Stores
from headgate.tenancy.tenants import visible_tenant
from headgate.tenancy.vault import Vault
from headgate.tenancy.webhook import PRIVATE, EventType, Webhook, WebhookStatus
from headgate.tenancy.webhook_secret import new_secret
from headgate.tenancy.workspaces import names_of_workspace, visible_workspace

LONGEST_URL: Final = 2_048
BOTH_FOR_S: Final = 86_400
"""How long after a rotation messages are signed with the old secret too."""
SELECTABLE: Final = tuple(each for each in EventType if each not in PRIVATE)

CheckUrl = Callable[[str], str]
"""The URL as it is kept. Raises `InvalidRequest`."""
Delivered = tuple[Delivery, Event, Sequence[Attempt]]


class WebhookService:
    """`fields`: `url`, `description`, `types`, `status`, and at creation `workspace_id` and `tenant_id`.

    A workspace's key sees and makes those of its workspace only.
    """

    def __init__(
        self, administration: Administration, vault: Vault, check_url: CheckUrl, random_bytes: RandomBytes = os.urandom
    ) -> None:
        self._administration = administration
        self._vault = vault
        self._check_url = check_url
        self._random_bytes = random_bytes

    async def create(self, principal: Principal, fields: Mapping[str, Any]) -> tuple[Webhook, str]:
        """The webhook, and its secret: this is the only time it is seen."""
        secret = new_secret(self._random_bytes)

        def work(change: Change) -> Webhook:
            webhook = self._new(change, fields, secret)
            change.stores.webhooks.add(webhook)
            change.record("create", f"webhook:{webhook.id}", _seen(webhook))
            return webhook

        return await self._administration.change(principal, work), secret

    async def find(self, principal: Principal, page: Page) -> tuple[Sequence[Webhook], int]:
        return await self._administration.transactions.read(
            lambda stores: stores.webhooks.find(principal.organization_id, page, workspace_id=principal.workspace_id)
        )

    async def get(self, principal: Principal, webhook_id: str) -> Webhook:
        return await self._administration.transactions.read(lambda stores: _visible(stores, principal, webhook_id))

    async def update(self, principal: Principal, webhook_id: str, fields: Mapping[str, Any]) -> tuple[Webhook, str]:
        """With `rotate_secret` the new secret is shown, this once; else the second is empty."""
        secret = new_secret(self._random_bytes) if fields.get("rotate_secret") else ""

        def work(change: Change) -> Webhook:
            before = _visible(change.stores, principal, webhook_id)
            _refuse_moved(before, fields, change.stores)
            webhook = self._with(before, fields)
            if secret:
                webhook = self._rotated(webhook, secret, change.now)
            webhook = replace(webhook, updated_at=change.now)
            change.stores.webhooks.update(webhook)
            change.record("update", f"webhook:{webhook_id}", {"fields": sorted(fields)} | _seen(webhook))
            return webhook

        return await self._administration.change(principal, work), secret

    async def delete(self, principal: Principal, webhook_id: str) -> None:
        """With its deliveries, those under way included."""

        def work(change: Change) -> None:
            webhook = _visible(change.stores, principal, webhook_id)
            change.stores.webhooks.remove(webhook.id)
            change.record("delete", f"webhook:{webhook_id}", _seen(webhook))

        await self._administration.change(principal, work)

    async def test(self, principal: Principal, webhook_id: str) -> Delivery:
        """Have a `webhook.test` delivered, the way everything is; the deliveries show how it went."""

        def work(change: Change) -> Delivery:
            webhook = _visible(change.stores, principal, webhook_id)
            _refuse_disabled(webhook)
            event = test_event(change.new_id("evt"), webhook, change.now)
            delivery = Delivery(
                id=change.new_id("dlv"),
                event_id=event.id,
                organization_id=webhook.organization_id,
                lane=webhook.id,
                started_at=change.now,
                next_at=change.now,
                created_at=change.now,
            )
            change.stores.deliveries.add(event, delivery)
            change.record("test", f"webhook:{webhook_id}", {"delivery_id": delivery.id})
            return delivery

        return await self._administration.change(principal, work)

    async def deliveries(self, principal: Principal, webhook_id: str, page: Page) -> tuple[Sequence[Delivered], int]:
        """The latest first, each with its attempts."""

        def work(stores: Stores) -> tuple[Sequence[Delivered], int]:
            return stores.deliveries.find(_visible(stores, principal, webhook_id).id, page)

        return await self._administration.transactions.read(work)

    async def replay(self, principal: Principal, webhook_id: str, delivery_id: str) -> Delivery:
        """Deliver it once more, whether it had arrived or not; the same message under the same id."""

        def work(change: Change) -> Delivery:
            webhook = _visible(change.stores, principal, webhook_id)
            _refuse_disabled(webhook)
            found = change.stores.deliveries.get(webhook.id, delivery_id)
            if found is None:
                raise not_found("delivery", delivery_id)
            delivery = replace(
                found[0], status=DeliveryStatus.PENDING, attempts=0, started_at=change.now, next_at=change.now
            )
            change.stores.deliveries.update(delivery)
            change.record("replay", f"webhook:{webhook_id}", {"delivery_id": delivery_id})
            return delivery

        return await self._administration.change(principal, work)

    async def disable(self, webhook: Webhook, why: str) -> None:
        """Because nothing gets through to it. Everybody else who wants to know is told."""

        def work(change: Change) -> None:
            found = change.stores.webhooks.get(webhook.organization_id, webhook.id)
            if found is None or found.status is WebhookStatus.DISABLED or found.url != webhook.url:
                raise _Overtaken
            since = found.failing_since or change.now
            off = replace(
                found, status=WebhookStatus.DISABLED, status_reason=why, failing_since=since, updated_at=change.now
            )
            change.stores.webhooks.update(off)
            change.stores.deliveries.announce(webhook_disabled_event(change.new_id("evt"), off, change.now))
            change.record("disable", f"webhook:{webhook.id}", {"reason": why})

        try:
            await self._administration.change(Principal(webhook.organization_id, "headgate", frozenset()), work)
        except _Overtaken:
            return

    def _new(self, change: Change, fields: Mapping[str, Any], secret: str) -> Webhook:
        stores, principal = change.stores, change.principal
        tenant = visible_tenant(stores, principal, fields["tenant_id"]) if fields.get("tenant_id") else None
        reference = fields.get("workspace_id") or principal.workspace_id or (tenant.workspace_id if tenant else None)
        workspace = visible_workspace(stores, principal, reference) if reference else None
        if tenant is not None and workspace is not None and tenant.workspace_id != workspace.id:
            raise InvalidRequest(
                f"The tenant `{tenant.slug}` is not in the workspace `{workspace.slug}`.", param="tenant_id"
            )
        blank = Webhook(
            id=change.new_id("whk"),
            organization_id=principal.organization_id,
            workspace_id=workspace.id if workspace else None,
            tenant_id=tenant.id if tenant else None,
            url="",
            sealed_secret=b"",
            created_at=change.now,
            updated_at=change.now,
        )
        sealed = self._vault.seal(secret.encode(), blank.organization_id, blank.secret_row)
        return replace(self._with(blank, {"url": None} | dict(fields)), sealed_secret=sealed)

    def _with(self, webhook: Webhook, fields: Mapping[str, Any]) -> Webhook:
        changes: dict[str, Any] = {}
        if "url" in fields:
            changes["url"] = self._check_url(_line(fields["url"]))
        if "description" in fields:
            changes["description"] = rules.text(fields["description"] or "", "description")
        if "types" in fields:
            changes["types"] = _types(fields["types"])
        if fields.get("status") is not None:
            changes["status"] = _status(fields["status"])
            changes |= {"status_reason": "", "failing_since": None}
        return replace(webhook, **changes)

    def _rotated(self, webhook: Webhook, secret: str, now: int) -> Webhook:
        return replace(
            webhook,
            sealed_secret=self._vault.seal(secret.encode(), webhook.organization_id, webhook.secret_row),
            sealed_previous=webhook.sealed_secret,
            previous_until=now + BOTH_FOR_S * NANOS_PER_SECOND,
        )


def _refuse_moved(webhook: Webhook, fields: Mapping[str, Any], stores: Stores) -> None:
    organization_id = webhook.organization_id
    tenant = stores.tenants.get(organization_id, webhook.tenant_id) if webhook.tenant_id else None
    stays = {
        "workspace_id": names_of_workspace(stores, organization_id, webhook.workspace_id),
        "tenant_id": (None, tenant.id, tenant.slug) if tenant else (None,),
    }
    rules.refuse_moved("webhook", fields, stays)


def _visible(stores: Stores, principal: Principal, webhook_id: str) -> Webhook:
    """Raises the same `NotFound` for an absent webhook and one the principal may not see."""
    webhook = stores.webhooks.get(principal.organization_id, webhook_id)
    if webhook is None:
        raise not_found("webhook", webhook_id)
    principal.require_sight(webhook.workspace_id, "webhook", webhook_id)
    return webhook


def _refuse_disabled(webhook: Webhook) -> None:
    if webhook.status is WebhookStatus.DISABLED:
        raise InvalidRequest("This webhook is disabled. Set its `status` to `active` first.", param="status")


def _line(value: object) -> str:
    found = rules.text(value, "url", LONGEST_URL)
    if not found:
        raise InvalidRequest("`url` is missing.", param="url")
    return found


def _types(value: object) -> tuple[EventType, ...]:
    found = rules.texts(value, "types")
    for index, each in enumerate(found):
        if each not in SELECTABLE:
            raise InvalidRequest(f"`types[{index}]` must be one of {', '.join(SELECTABLE)}.", param=f"types[{index}]")
    return tuple(dict.fromkeys(EventType(each) for each in found))


def _status(value: object) -> WebhookStatus:
    if value not in tuple(WebhookStatus):
        raise InvalidRequest("`status` must be `active` or `disabled`.", param="status")
    return WebhookStatus(str(value))


def _seen(webhook: Webhook) -> dict[str, Any]:
    return {
        "host": webhook.host,
        "workspace_id": webhook.workspace_id,
        "tenant_id": webhook.tenant_id,
        "types": [each.value for each in webhook.types],
        "status": webhook.status.value,
    }


class _Overtaken(Exception):
    """Undoes the transaction: an administrator was here first."""
