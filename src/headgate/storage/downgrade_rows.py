"""That calls went to a cheaper model, as events: once for each tenant, budget and period."""

import os
from collections.abc import Iterable

from sqlalchemy import Connection, insert, select

from headgate.base.clock import Clock
from headgate.base.ids import RandomBytes, object_id
from headgate.storage import allowance_use, events
from headgate.storage.alert_tables import alert_told
from headgate.storage.allowance_use import Moved
from headgate.storage.budgets import Budgets
from headgate.tenancy.alert_events import Downgraded, downgraded_event


class DowngradeRows:
    """Belongs to one task: one transaction at a time."""

    def __init__(self, clock: Clock, random_bytes: RandomBytes = os.urandom) -> None:
        self._clock = clock
        self._random_bytes = random_bytes
        self._budgets = Budgets()

    def tell(self, connection: Connection, noted: Iterable[Downgraded]) -> None:
        """Write the events of what was not told in its period yet. A rate has no period, and is not told."""
        by_budget = {each.allowance.id: each.allowance for each in noted}
        found = allowance_use.standing(connection, self._budgets, by_budget.values(), self._clock.now(), unused=True)
        standing = {each.budget.allowance.id: each for each in found}
        for each in noted:
            moved = standing.get(each.allowance.id)
            if moved is not None:
                self._once(connection, each, moved)

    def _once(self, connection: Connection, found: Downgraded, moved: Moved) -> None:
        threshold = f"downgraded:{found.owner.tenant_id}"
        told = select(alert_told.c.event_id).where(
            alert_told.c.allowance_id == moved.key[0],
            alert_told.c.window_start == moved.key[1],
            alert_told.c.threshold == threshold,
        )
        if connection.execute(told).first() is not None:
            return
        event = downgraded_event(
            object_id("evt", self._random_bytes), found, moved.after, *moved.span, self._clock.now()
        )
        events.add(connection, event)
        row = {
            "allowance_id": moved.key[0],
            "window_start": moved.key[1],
            "threshold": threshold,
            "window_end": moved.span[1],
            "amount": moved.after,
            "event_id": event.id,
        }
        connection.execute(insert(alert_told).values(**row))
