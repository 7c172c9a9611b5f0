"""`tenancy.open_batch.OpenBatches` on SQL."""

from dataclasses import asdict, fields
from typing import Final

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from headgate.storage.batch_tables import OPEN
from headgate.storage.batch_tables import batch as table
from headgate.storage.database import Database
from headgate.tenancy.open_batch import OpenBatch

_COLUMNS: Final = tuple(table.c[field.name] for field in fields(OpenBatch))


class SqlOpenBatches:
    """On any of the databases."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, batch: OpenBatch) -> None:
        engine = sqlite if self._database.facts().engine == "sqlite" else postgresql
        row = {**asdict(batch), "allowances": list(batch.allowances), "status": OPEN}
        statement = engine.insert(table).values(row).on_conflict_do_nothing()
        await self._database.write(lambda connection: connection.execute(statement))

    async def find(self, identifier: str, integration_id: str) -> OpenBatch | None:
        where = table.c.id == identifier, table.c.integration_id == integration_id, table.c.status == OPEN
        statement = select(*_COLUMNS).where(*where)
        row = await self._database.read(lambda connection: connection.execute(statement).mappings().first())
        return None if row is None else OpenBatch(**row)

    async def due(self, now: int, most: int) -> list[OpenBatch]:
        statement = select(*_COLUMNS).where(table.c.status == OPEN, table.c.next_at <= now)
        statement = statement.order_by(table.c.next_at).limit(most)
        rows = await self._database.read(lambda connection: connection.execute(statement).mappings().all())
        return [OpenBatch(**row) for row in rows]

    async def claim(self, batch: OpenBatch, next_at: int) -> bool:
        statement = update(table).where(is_open(batch), table.c.next_at == batch.next_at).values(next_at=next_at)
        changed = await self._database.write(lambda connection: connection.execute(statement).rowcount)
        return changed == 1


def is_open(batch: OpenBatch) -> ColumnElement[bool]:
    """Its row, while nobody has ended it."""
    return and_(table.c.id == batch.id, table.c.integration_id == batch.integration_id, table.c.status == OPEN)
