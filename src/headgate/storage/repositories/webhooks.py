"""Webhooks with their deliveries, and the settings of alerts."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, update

from headgate.storage import events
from headgate.storage.alert_tables import alert_setting, attempt
from headgate.storage.alert_tables import delivery as deliveries
from headgate.storage.alert_tables import event as event_table
from headgate.storage.alert_tables import webhook as table
from headgate.storage.repositories import rows
from headgate.tenancy.alert_setting import AlertSetting
from headgate.tenancy.outbox import Attempt, Delivery, DeliveryStatus, Event
from headgate.tenancy.stores import Page
from headgate.tenancy.webhook import PRIVATE, EventType, Webhook, WebhookStatus

_NO_ALERTS: Final = tuple(each.value for each in PRIVATE)


def webhook_of(row: Mapping[Any, Any]) -> Webhook:
    values = {name: row[name] for name in Webhook.__dataclass_fields__}
    values["types"] = tuple(EventType(each) for each in row["types"])
    values["status"] = WebhookStatus(row["status"])
    return Webhook(**values)


def _row(webhook: Webhook) -> dict[str, Any]:
    row = rows.row_of(webhook)
    return row | {"types": [each.value for each in webhook.types], "status": webhook.status.value}


class SqlWebhooks:
    """A `tenancy.stores.WebhookStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, webhook: Webhook) -> None:
        rows.add(self._connection, table, _row(webhook))

    def update(self, webhook: Webhook) -> None:
        rows.replace(self._connection, table, _row(webhook))

    def remove(self, webhook_id: str) -> None:
        its = select(deliveries.c.id).where(deliveries.c.lane == webhook_id)
        self._connection.execute(delete(attempt).where(attempt.c.delivery_id.in_(its)))
        self._connection.execute(delete(deliveries).where(deliveries.c.lane == webhook_id))
        self._connection.execute(delete(table).where(table.c.id == webhook_id))

    def get(self, organization_id: str, webhook_id: str) -> Webhook | None:
        if "\0" in webhook_id:
            return None
        row = rows.one(self._connection, table, table.c.organization_id == organization_id, table.c.id == webhook_id)
        return webhook_of(row) if row else None

    def find(self, organization_id: str, page: Page, *, workspace_id: str | None = None) -> tuple[list[Webhook], int]:
        statement = select(table).where(table.c.organization_id == organization_id)
        if workspace_id is not None:
            statement = statement.where(table.c.workspace_id == workspace_id)
        found, total = rows.page_of(self._connection, statement, page, table.c.created_at, table.c.id)
        return [webhook_of(row) for row in found], total


class SqlDeliveries:
    """A `tenancy.stores.DeliveryStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def announce(self, event: Event) -> None:
        events.add(self._connection, event)

    def add(self, event: Event, delivery: Delivery) -> None:
        events.add(self._connection, event, addressed=True)
        self._connection.execute(insert(deliveries).values(**events.delivery_row(delivery)))

    def withdraw(self, organization_id: str, event_type: EventType, recipient: str) -> None:
        of_type = select(event_table.c.id).where(
            event_table.c.organization_id == organization_id, event_table.c.type == event_type.value
        )
        waiting = update(deliveries).where(
            deliveries.c.event_id.in_(of_type),
            deliveries.c.recipient == recipient,
            deliveries.c.status == DeliveryStatus.PENDING.value,
        )
        self._connection.execute(waiting.values(status=DeliveryStatus.FAILED.value))

    def update(self, delivery: Delivery) -> None:
        statement = update(deliveries).where(deliveries.c.id == delivery.id)
        self._connection.execute(statement.values(**events.delivery_row(delivery)))

    def get(self, lane: str, delivery_id: str) -> tuple[Delivery, Event] | None:
        if "\0" in delivery_id:
            return None
        row = rows.one(self._connection, deliveries, deliveries.c.lane == lane, deliveries.c.id == delivery_id)
        return None if row is None else (events.delivery_of(row), events.get(self._connection, row["event_id"]))

    def find(self, lane: str, page: Page) -> tuple[list[tuple[Delivery, Event, list[Attempt]]], int]:
        statement = select(deliveries).where(deliveries.c.lane == lane)
        latest = (deliveries.c.created_at.desc(), deliveries.c.id.desc())
        found, total = rows.page_of(self._connection, statement, page, *latest)
        made = events.attempts_of(self._connection, [row["id"] for row in found])
        return [
            (events.delivery_of(row), events.get(self._connection, row["event_id"]), made[row["id"]]) for row in found
        ], total

    def told(
        self, organization_id: str, page: Page, *, workspace_id: str | None = None
    ) -> tuple[list[tuple[Event, list[Delivery]]], int]:
        at = event_table.c
        statement = select(event_table).where(at.organization_id == organization_id, at.type.not_in(_NO_ALERTS))
        if workspace_id is not None:
            statement = statement.where(at.workspace_id == workspace_id)
        found, total = rows.page_of(self._connection, statement, page, at.at.desc(), at.id.desc())
        to: dict[str, list[Delivery]] = {row["id"]: [] for row in found}
        its = select(deliveries).where(deliveries.c.event_id.in_(to)).order_by(deliveries.c.lane, deliveries.c.id)
        for row in self._connection.execute(its).mappings():
            to[row["event_id"]].append(events.delivery_of(row))
        return [(events.event_of(row), to[row["id"]]) for row in found], total


class SqlAlertSettings:
    """A `tenancy.stores.AlertSettingStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, organization_id: str, workspace_id: str) -> AlertSetting | None:
        at = alert_setting.c
        row = rows.one(
            self._connection, alert_setting, at.organization_id == organization_id, at.workspace_id == workspace_id
        )
        if row is None:
            return None
        percents = None if row["percents"] is None else tuple(row["percents"])
        return AlertSetting(organization_id, workspace_id, percents, tuple(row["emails"]))

    def save(self, setting: AlertSetting) -> None:
        at = alert_setting.c
        same = (at.organization_id == setting.organization_id, at.workspace_id == setting.workspace_id)
        percents = None if setting.percents is None else list(setting.percents)
        values = {"percents": percents, "emails": list(setting.emails)}
        # Update, else insert: administration is one change at a time, so nothing comes in between.
        if self._connection.execute(update(alert_setting).where(*same).values(**values)).rowcount == 0:
            key = {"organization_id": setting.organization_id, "workspace_id": setting.workspace_id}
            rows.add(self._connection, alert_setting, key | values)
