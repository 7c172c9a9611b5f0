"""Events, deliveries and attempts as rows. Every function takes a connection."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, insert, select

from headgate.storage.alert_tables import attempt, delivery, event
from headgate.tenancy.outbox import Attempt, Delivery, DeliveryStatus, Event
from headgate.tenancy.webhook import EventType


def add(connection: Connection, found: Event, *, addressed: bool = False) -> None:
    """`addressed`: its deliveries are made by whoever adds it."""
    connection.execute(insert(event).values(**_row(found, event), addressed=addressed))


def event_of(row: Mapping[Any, Any]) -> Event:
    return Event(
        **{name: row[name] for name in Event.__dataclass_fields__ if name != "type"}, type=EventType(row["type"])
    )


def delivery_of(row: Mapping[Any, Any]) -> Delivery:
    plain = {name: row[name] for name in Delivery.__dataclass_fields__ if name != "status"}
    return Delivery(**plain, status=DeliveryStatus(row["status"]))


def add_delivery(connection: Connection, found: Delivery) -> None:
    connection.execute(insert(delivery).values(**_row(found, delivery)))


def add_attempt(connection: Connection, found: Attempt) -> None:
    connection.execute(insert(attempt).values(**_row(found, attempt)))


def attempts_of(connection: Connection, delivery_ids: Sequence[str]) -> Mapping[str, list[Attempt]]:
    """The first one first."""
    found: dict[str, list[Attempt]] = {delivery_id: [] for delivery_id in delivery_ids}
    statement = select(attempt).where(attempt.c.delivery_id.in_(delivery_ids)).order_by(attempt.c.at)
    for row in connection.execute(statement).mappings():
        found[row["delivery_id"]].append(Attempt(**row))
    return found


def _row(noun: Any, table: Table) -> dict[str, Any]:
    return {column.name: getattr(noun, column.name) for column in table.columns if hasattr(noun, column.name)}
