"""API keys whose secret is due to be replaced: told once for each time it is due."""

import os
from typing import Final

from sqlalchemy import Connection, and_, or_, select, update

from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.base.ids import RandomBytes, object_id
from headgate.storage import events
from headgate.storage.database import Database
from headgate.storage.repositories import rows
from headgate.storage.tables import api_key as table
from headgate.tenancy.alert_events import rotation_due_event
from headgate.tenancy.api_key import ApiKey

LOOK_EVERY_S: Final = 60
AT_ONCE: Final = 500


class DueRotations:
    """A source of events. Nobody is given a new secret by itself: it can only be shown to who asks for it."""

    def __init__(self, database: Database, clock: Clock, random_bytes: RandomBytes = os.urandom) -> None:
        self._database = database
        self._clock = clock
        self._random_bytes = random_bytes
        self._look_at = 0

    async def tell(self) -> None:
        """Once a minute at most. Raises `Unavailable`."""
        now = self._clock.monotonic()
        if now >= self._look_at:
            while await self._database.write(self._tell) == AT_ONCE:
                pass
            self._look_at = now + LOOK_EVERY_S * NANOS_PER_SECOND

    def _tell(self, connection: Connection) -> int:
        at = self._clock.now()
        due, told = table.c.next_rotation_at, table.c.rotation_told_at
        untold = and_(table.c.revoked_at.is_(None), due <= at, or_(told.is_(None), told < due))
        # What another process is telling at this moment is left to it.
        statement = select(table).where(untold).order_by(due).limit(AT_ONCE).with_for_update(skip_locked=True)
        found = connection.execute(statement).mappings().all()
        for row in found:
            event = rotation_due_event(object_id("evt", self._random_bytes), rows.noun_of(ApiKey, row), at)
            events.add(connection, event)
            connection.execute(update(table).where(table.c.id == row["id"]).values(rotation_told_at=at))
        return len(found)
