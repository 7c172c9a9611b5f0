"""The outbox on SQL: events become deliveries, deliveries are claimed, tried and ticked off."""

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from headgate.base.clock import NANOS_PER_SECOND
from headgate.base.ids import RandomBytes, object_id
from headgate.storage import events, tables
from headgate.storage.alert_tables import alert_setting, alert_told, allowance_use, attempt, delivery, event, webhook
from headgate.storage.allowance_use import KEEP_S
from headgate.storage.database import Database
from headgate.storage.repositories.webhooks import webhook_of
from headgate.tenancy.outbox import EMAIL, Attempt, Delivery, DeliveryStatus, Due, Event
from headgate.tenancy.webhook import EventType, WebhookStatus

AT_ONCE: Final = 100
KEEP_DAYS: Final = 30
MAILED: Final = frozenset((EventType.THRESHOLD_REACHED, EventType.ROTATION_DUE, EventType.WEBHOOK_DISABLED))
_PENDING: Final = DeliveryStatus.PENDING.value
_ACTIVE: Final = or_(
    delivery.c.lane == EMAIL,
    exists().where(webhook.c.id == delivery.c.lane, webhook.c.status == WebhookStatus.ACTIVE.value),
)


class SqlOutbox:
    """An `alerts.outbox.Outbox`. `letters`: events go out as e-mail too. What is over is kept for `keep_days`."""

    def __init__(
        self,
        database: Database,
        *,
        letters: bool,
        random_bytes: RandomBytes = os.urandom,
        keep_days: int = KEEP_DAYS,
    ) -> None:
        self._database = database
        self._letters = letters
        self._random_bytes = random_bytes
        self._keep_days = keep_days

    async def address(self, now: int) -> int:
        if not await self._database.read(_news):
            return 0
        return await self._database.write(partial(self._address, now=now))

    async def lanes(self, now: int) -> Sequence[str]:
        statement = select(delivery.c.lane).distinct().where(_due(now), _ACTIVE)
        return await self._database.read(lambda connection: list(connection.execute(statement).scalars()))

    async def due(self, lane: str, now: int, limit: int) -> Sequence[Due]:
        return await self._database.read(partial(_due_in, lane=lane, now=now, limit=limit))

    async def claim(self, delivery: Delivery, until: int) -> bool:
        return await self._database.write(partial(_claim, taken=delivery, until=until))

    async def delivered(self, due: Due, attempt: Attempt) -> None:
        await self._database.write(partial(_delivered, due=due, made=attempt))

    async def failed(self, due: Due, attempt: Attempt, next_at: int | None) -> None:
        await self._database.write(partial(_failed, due=due, made=attempt, next_at=next_at))

    async def counts(self) -> dict[str, int]:
        """How many deliveries there are, by status."""
        statement = select(delivery.c.status, func.count()).group_by(delivery.c.status)
        found = await self._database.read(lambda connection: connection.execute(statement).all())
        return {status.value: 0 for status in DeliveryStatus} | {str(status): int(count) for status, count in found}

    async def prune(self, now: int) -> None:
        await self._database.write(partial(_prune, now=now, keep_days=self._keep_days))

    def _address(self, connection: Connection, now: int) -> int:
        found = connection.execute(select(event).where(_new()).order_by(event.c.at).limit(AT_ONCE)).mappings().all()
        for row in found:
            each = events.event_of(row)
            receivers = [(lane, "") for lane in _webhooks_for(connection, each)]
            if self._letters and each.type in MAILED:
                receivers += [(EMAIL, address) for address in _addresses_for(connection, each)]
            self._add(connection, each, receivers, now)
            connection.execute(update(event).where(event.c.id == each.id).values(addressed=True))
        return len(found)

    def _add(self, connection: Connection, of: Event, receivers: Iterable[tuple[str, str]], now: int) -> None:
        rows = [
            {
                "id": object_id("dlv", self._random_bytes),
                "event_id": of.id,
                "organization_id": of.organization_id,
                "lane": lane,
                "recipient": recipient,
                "status": _PENDING,
                "attempts": 0,
                "started_at": now,
                "next_at": now,
                "created_at": now,
            }
            for lane, recipient in receivers
        ]
        if rows:  # another process may be addressing the same event
            dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
            connection.execute(dialect.insert(delivery).on_conflict_do_nothing(), rows)


def _new() -> ColumnElement[bool]:
    return event.c.addressed.is_(False)


def _news(connection: Connection) -> bool:
    return connection.execute(select(event.c.id).where(_new()).limit(1)).first() is not None


def _webhooks_for(connection: Connection, of: Event) -> list[str]:
    statement = select(webhook).where(
        webhook.c.organization_id == of.organization_id,
        webhook.c.status == WebhookStatus.ACTIVE.value,
        or_(webhook.c.workspace_id.is_(None), webhook.c.workspace_id == of.workspace_id),
        or_(webhook.c.tenant_id.is_(None), webhook.c.tenant_id == of.tenant_id),
    )
    found = [webhook_of(row) for row in connection.execute(statement.order_by(webhook.c.id)).mappings()]
    return [each.id for each in found if each.wants(of.type)]


def _addresses_for(connection: Connection, of: Event) -> list[str]:
    """The organization's, the workspace's and, where it is about a key, the key's. Each once."""
    where = [alert_setting.c.organization_id == of.organization_id]
    where.append(alert_setting.c.workspace_id.in_(("", of.workspace_id or "")))
    found = [address for row in connection.execute(select(alert_setting.c.emails).where(*where)) for address in row[0]]
    if of.key_id is not None:
        key = tables.api_key
        emails = connection.execute(select(key.c.alert_emails).where(key.c.id == of.key_id)).scalar_one_or_none()
        found += emails or []
    return list({address.lower(): address for address in found}.values())


def _due(now: int) -> ColumnElement[bool]:
    return and_(delivery.c.status == _PENDING, delivery.c.next_at <= now)


def _due_in(connection: Connection, lane: str, now: int, limit: int) -> list[Due]:
    statement = select(delivery).join(event, event.c.id == delivery.c.event_id)
    statement = statement.where(_due(now), delivery.c.lane == lane, _ACTIVE).order_by(event.c.at, delivery.c.id)
    rows = connection.execute(statement.limit(limit)).mappings().all()
    if not rows:
        return []
    ids = {row["event_id"] for row in rows}
    of = {row["id"]: events.event_of(row) for row in _all(connection, event, event.c.id.in_(ids))}
    receiver = next((webhook_of(row) for row in _all(connection, webhook, webhook.c.id == lane)), None)
    return [Due(events.delivery_of(row), of[row["event_id"]], receiver) for row in rows]


def _all(connection: Connection, table: Any, condition: ColumnElement[bool]) -> Sequence[Mapping[Any, Any]]:
    return connection.execute(select(table).where(condition)).mappings().all()


def _claim(connection: Connection, taken: Delivery, until: int) -> bool:
    same = and_(delivery.c.id == taken.id, delivery.c.status == _PENDING, delivery.c.next_at == taken.next_at)
    values = {"next_at": until, "attempts": taken.attempts + 1}
    return connection.execute(update(delivery).where(same).values(**values)).rowcount == 1


def _delivered(connection: Connection, due: Due, made: Attempt) -> None:
    _log(connection, made)
    connection.execute(
        update(delivery).where(delivery.c.id == due.delivery.id).values(status=DeliveryStatus.DELIVERED.value)
    )
    if due.webhook is not None:
        connection.execute(update(webhook).where(webhook.c.id == due.webhook.id).values(failing_since=None))


def _failed(connection: Connection, due: Due, made: Attempt, next_at: int | None) -> None:
    _log(connection, made)
    outcome: dict[str, Any] = {"status": DeliveryStatus.FAILED.value} if next_at is None else {"next_at": next_at}
    connection.execute(update(delivery).where(delivery.c.id == due.delivery.id).values(**outcome))
    if due.webhook is not None:
        first = and_(webhook.c.id == due.webhook.id, webhook.c.failing_since.is_(None))
        connection.execute(update(webhook).where(first).values(failing_since=made.at))


def _log(connection: Connection, made: Attempt) -> None:
    """Unless the webhook was removed meanwhile, and its deliveries with it."""
    if connection.execute(select(delivery.c.id).where(delivery.c.id == made.delivery_id)).first() is not None:
        events.add_attempt(connection, made)


def _prune(connection: Connection, now: int, keep_days: int) -> None:
    old = now - keep_days * 86_400 * NANOS_PER_SECOND
    over = and_(delivery.c.created_at < old, or_(delivery.c.status != _PENDING, ~_ACTIVE))
    connection.execute(delete(attempt).where(attempt.c.delivery_id.in_(select(delivery.c.id).where(over))))
    connection.execute(delete(delivery).where(over))
    sent = exists().where(delivery.c.event_id == event.c.id)
    connection.execute(delete(event).where(event.c.at < old, event.c.addressed, ~sent))
    for table in (allowance_use, alert_told):
        connection.execute(delete(table).where(table.c.window_end < now - KEEP_S * NANOS_PER_SECOND))
