"""Usage records in, events out, in one transaction: an alert is as durable as the settlement that brought it about."""

import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final

from sqlalchemy import Connection, delete, insert, select, tuple_

from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.base.ids import RandomBytes, object_id
from headgate.ledger.alerts import EXHAUSTED, Threshold, crossing
from headgate.ledger.allowance import Allowance
from headgate.ledger.record import UsageRecord
from headgate.storage import allowance_use, events, usage_rows
from headgate.storage.alert_tables import alert_told
from headgate.storage.allowance_use import Moved
from headgate.storage.analytics.cells import Cells
from headgate.storage.budgets import Budgets
from headgate.storage.kept_sums import Key
from headgate.tenancy.alert_events import Reached, budget_event
from headgate.tenancy.outbox import Event
from headgate.tenancy.webhook import EventType

NEARLY_ALL: Final = 90
"""Percent of a budget; one that has refused a call, and is used so far, counts as used up."""


class AlertedRows:
    """Writes usage records and what follows from them. Belongs to one task: one transaction at a time."""

    def __init__(self, clock: Clock, random_bytes: RandomBytes = os.urandom) -> None:
        self._clock = clock
        self._random_bytes = random_bytes
        self._budgets = Budgets()
        self._cells = Cells()

    def insert(self, connection: Connection, records: Sequence[UsageRecord]) -> None:
        """Write them all, with the sums over them and the alerts that they bring about; those that are there already
        change nothing."""
        new, rows = usage_rows.insert_new(connection, records)
        allowance_use.lock(connection)
        self._cells.add(connection, rows)
        self._tell(connection, allowance_use.fold(connection, self._budgets, new))

    def counting(self, connection: Connection, record: UsageRecord) -> list[Key]:
        """The budgets, each with its period, that a record counts in."""
        return allowance_use.counting(connection, self._budgets, record)

    def correct(self, connection: Connection, before: UsageRecord, after: UsageRecord) -> list[Moved]:
        """A record that is there is to say something else of what it used and cost, and so are the sums over it: of
        the budgets that it counts in."""
        usage_rows.update(connection, after)
        allowance_use.lock(connection)
        self._cells.correct(connection, usage_rows.values_of(before), usage_rows.values_of(after))
        moved = allowance_use.correct(connection, self._budgets, before, after)
        self._tell(connection, [each for each in moved if each.after > each.before])
        return moved

    def refused(self, connection: Connection, allowances: Iterable[Allowance]) -> None:
        """These had not enough left for a call. A call is refused rather than made beyond the cap, so the last bit of
        a budget may never be used: such a one counts as used up from here on."""
        standing = allowance_use.standing(connection, self._budgets, allowances, self._clock.now())
        for each in standing:
            each.used_up = each.after * 100 >= each.budget.allowance.cap * NEARLY_ALL
        self._tell(connection, [each for each in standing if each.used_up])

    def _tell(self, connection: Connection, moved: Sequence[Moved]) -> None:
        at = self._clock.now()
        forgotten = (
            at - allowance_use.KEEP_S * NANOS_PER_SECOND
        )  # what was told of periods before is not known any more
        high = {
            each.key: each
            for each in moved
            if each.counted >= each.budget.lowest and (each.span[1] is None or each.span[1] > forgotten)
        }
        if not high:
            return
        told = _told(connection, list(high))
        for key, each in high.items():
            found = crossing(each.budget.thresholds, each.before, each.counted, told.get(key, {}))
            if found.rearmed:
                _forget(connection, key, found.rearmed)
            if found.reached:
                at = self._write(connection, each, found.reached, at)

    def _write(self, connection: Connection, moved: Moved, reached: Sequence[Threshold], at: int) -> int:
        """One event for each amount, however many thresholds lie there; the key's end is an event of its own.

        The first is at `at`, each other a nanosecond later, so that they keep their order; returns the next moment.
        """
        allowance_id, start = moved.key
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
                    "amount": amount,
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


def _told(connection: Connection, keys: Sequence[Key]) -> Mapping[Key, Mapping[str, int]]:
    columns = (alert_told.c.allowance_id, alert_told.c.window_start)
    statement = select(*columns, alert_told.c.threshold, alert_told.c.amount).where(tuple_(*columns).in_(keys))
    found: dict[Key, dict[str, int]] = {}
    for allowance_id, start, name, amount in connection.execute(statement):
        found.setdefault((allowance_id, start), {})[name] = amount
    return found


def _forget(connection: Connection, key: Key, names: frozenset[str]) -> None:
    connection.execute(
        delete(alert_told).where(
            alert_told.c.allowance_id == key[0],
            alert_told.c.window_start == key[1],
            alert_told.c.threshold.in_(names),
        )
    )
