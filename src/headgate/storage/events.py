"""Events, deliveries and attempts as rows. Every function takes a connection."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, insert, select

from headgate.storage.alert_tables import attempt, event
from headgate.storage.usage_rows import clean
from headgate.tenancy.outbox import Attempt, Delivery, DeliveryStatus, Event
from headgate.tenancy.webhook import EventType


def add(connection: Connection, found: Event, *, addressed: bool = False) -> None:
    """`addressed`: its deliveries are made by whoever adds it."""
    row = _row(found) | {"type": found.type.value, "addressed": addressed}
    connection.execute(insert(event).values(**row))


def get(connection: Connection, event_id: str) -> Event:
    return event_of(connection.execute(select(event).where(event.c.id == event_id)).mappings().one())


def event_of(row: Mapping[Any, Any]) -> Event:
    return Event(**(_named(Event, row) | {"type": EventType(row["type"])}))


def delivery_of(row: Mapping[Any, Any]) -> Delivery:
    return Delivery(**(_named(Delivery, row) | {"status": DeliveryStatus(row["status"])}))


def delivery_row(found: Delivery) -> dict[str, Any]:
    return _row(found) | {"status": found.status.value}


def add_attempt(connection: Connection, found: Attempt) -> None:
    texts = {"answer": clean(found.answer), "error": clean(found.error)}
    connection.execute(insert(attempt).values(**(_row(found) | texts)))


def attempts_of(connection: Connection, delivery_ids: Sequence[str]) -> Mapping[str, list[Attempt]]:
    """The first one first."""
    found: dict[str, list[Attempt]] = {delivery_id: [] for delivery_id in delivery_ids}
    statement = select(attempt).where(attempt.c.delivery_id.in_(delivery_ids)).order_by(attempt.c.at)
    for row in connection.execute(statement).mappings():
        found[row["delivery_id"]].append(Attempt(**row))
    return found


def _named(kind: Any, row: Mapping[Any, Any]) -> dict[str, Any]:
    return {field.name: row[field.name] for field in fields(kind)}


def _row(noun: Any) -> dict[str, Any]:
    return {field.name: getattr(noun, field.name) for field in fields(noun)}
