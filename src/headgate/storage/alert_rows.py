"""Usage records in, events out, in one transaction: an alert is as durable as the settlement that brought it about."""

import os
from collections.abc import Mapping, Sequence
from itertools import groupby

from sqlalchemy import Connection, delete, insert, select, tuple_

from headgate.base.clock import Clock
from headgate.base.ids import RandomBytes, object_id
from headgate.ledger.alerts import EXHAUSTED, Threshold, crossing
from headgate.ledger.record import UsageRecord
from headgate.storage import allowance_use, events, usage_rows
from headgate.storage.alert_tables import alert_told
from headgate.storage.allowance_use import Key, Moved
from headgate.storage.budgets import Budgets
from headgate.tenancy.alert_events import Reached, budget_event
from headgate.tenancy.outbox import Event
from headgate.tenancy.webhook import EventType


class AlertedRows:
    """Writes usage records and what follows from them. Asked by one writer, one transaction at a time."""

    def __init__(self, clock: Clock, random_bytes: RandomBytes = os.urandom) -> None:
        self._clock = clock
        self._random_bytes = random_bytes
        self._budgets = Budgets()

    def insert(self, connection: Connection, records: Sequence[UsageRecord]) -> None:
        """Write them all, with the alerts that they bring about; those that are there already change nothing."""
        new = allowance_use.new_among(connection, records)
        usage_rows.insert(connection, new)
        self._tell(connection, allowance_use.fold(connection, self._budgets, new))

    def _tell(self, connection: Connection, moved: Sequence[Moved]) -> None:
        high = {_key(each): each for each in moved if each.after >= each.budget.lowest}
        if not high:
            return
        told = _told(connection, list(high))
        at = self._clock.now()
        for key, each in high.items():
            found = crossing(each.budget.thresholds, each.before, each.after, told.get(key, ()))
            if found.rearmed:
                _forget(connection, key, found.rearmed)
            if found.reached:
                at = self._write(connection, each, found.reached, at)

    def _write(self, connection: Connection, moved: Moved, reached: Sequence[Threshold], at: int) -> int:
        """One event for each amount, however many thresholds lie there; the key's end is an event of its own.

        The first is at `at`, each other a nanosecond later, so that they keep their order; returns the next moment.
        """
        allowance_id, start = _key(moved)
        for (exhausted, amount), group in groupby(reached, key=lambda each: (each.name == EXHAUSTED, each.amount)):
            names = tuple(each.name for each in group)
            event = self._event(moved, names, amount, at, exhausted=exhausted)
            events.add(connection, event)
            rows = [
                {
                    "allowance_id": allowance_id,
                    "window_start": start,
                    "threshold": name,
                    "window_end": moved.span[1],
                    "event_id": event.id,
                }
                for name in names
            ]
            connection.execute(insert(alert_told), rows)
            at += 1
        return at

    def _event(self, moved: Moved, names: tuple[str, ...], amount: int, at: int, *, exhausted: bool) -> Event:
        starts_at, ends_at = moved.span
        budget = moved.budget
        reached = Reached(budget.allowance, budget.owner, names, amount, moved.after, starts_at, ends_at)
        kind = EventType.KEY_EXHAUSTED if exhausted else EventType.THRESHOLD_REACHED
        return budget_event(object_id("evt", self._random_bytes), kind, reached, at)


def _key(moved: Moved) -> Key:
    return moved.budget.allowance.id, moved.span[0]


def _told(connection: Connection, keys: Sequence[Key]) -> Mapping[Key, set[str]]:
    columns = (alert_told.c.allowance_id, alert_told.c.window_start)
    found: dict[Key, set[str]] = {}
    for row in connection.execute(select(*columns, alert_told.c.threshold).where(tuple_(*columns).in_(keys))):
        found.setdefault((row[0], row[1]), set()).add(row[2])
    return found


def _forget(connection: Connection, key: Key, names: frozenset[str]) -> None:
    connection.execute(
        delete(alert_told).where(
            alert_told.c.allowance_id == key[0],
            alert_told.c.window_start == key[1],
            alert_told.c.threshold.in_(names),
        )
    )
