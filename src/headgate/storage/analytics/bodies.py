"""`analytics.stores.BodyStore` on SQL."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from headgate.analytics.kept import KeptBody, SentLog
from headgate.base.clock import NANOS_PER_SECOND
from headgate.storage.database import Database
from headgate.storage.log_tables import call_body, sent_log
from headgate.storage.tables import organization

AT_ONCE: Final = 500
"""Rows removed in one transaction: other writers wait no longer than that takes."""
_DAY: Final = 86_400 * NANOS_PER_SECOND


class SqlBodies:
    """On any of the databases."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, bodies: Sequence[KeptBody]) -> None:
        rows = [asdict(each) for each in bodies]
        await self._database.write(lambda connection: connection.execute(insert(call_body), rows))

    async def get(self, organization_id: str, request_ids: Sequence[str]) -> Sequence[KeptBody]:
        statement = select(call_body).where(
            call_body.c.organization_id == organization_id, call_body.c.request_id.in_(request_ids)
        )
        rows = await self._database.read(lambda connection: connection.execute(statement).mappings().all())
        return [KeptBody(**row) for row in rows]

    async def add_sent(self, logs: Sequence[SentLog]) -> None:
        rows = [asdict(each) for each in logs]
        await self._database.write(lambda connection: connection.execute(insert(sent_log), rows))

    async def sent(self, organization_id: str, log_id: str) -> SentLog | None:
        if "\0" in log_id:
            return None
        statement = select(sent_log).where(sent_log.c.organization_id == organization_id, sent_log.c.id == log_id)
        row = await self._database.read(lambda connection: connection.execute(statement).mappings().first())
        return None if row is None else SentLog(**row)

    async def forget(self, now: int) -> int:
        return await self._database.write(lambda connection: _forget(connection, now))


def _forget(connection: Connection, now: int) -> int:
    """Bodies go when their organization's days are over, and all of them where it no longer keeps any."""
    count = 0
    for organization_id, days in connection.execute(select(organization.c.id, organization.c.keep_bodies_days)).all():
        before = now - (days or 0) * _DAY
        old = (
            select(call_body.c.request_id)
            .where(call_body.c.organization_id == organization_id, call_body.c.at < before)
            .order_by(call_body.c.at)
            .limit(AT_ONCE - count)
        )
        count += connection.execute(delete(call_body).where(call_body.c.request_id.in_(old))).rowcount
    return count
