"""`analytics.stores.ExportFiles` on SQL."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from headgate.analytics.stores import ExportPart, ExportProgress, Place
from headgate.storage.database import Database
from headgate.storage.log_tables import export_part
from headgate.storage.log_tables import usage_export as table
from headgate.storage.repositories.usage_exports import export_of
from headgate.tenancy.usage_export import ExportStatus, UsageExport

AT_ONCE: Final = 100
"""Parts removed in one transaction."""
_UNFINISHED: Final = table.c.status == ExportStatus.IN_PROGRESS.value


class SqlExportFiles:
    """On any of the databases."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def unfinished(self, now: int) -> Sequence[UsageExport]:
        statement = select(table).where(_UNFINISHED, table.c.leased_until < now).order_by(table.c.updated_at)

        def work(connection: Connection) -> Sequence[UsageExport]:
            return [export_of(row) for row in connection.execute(statement).mappings()]

        return await self._database.read(work)

    async def lease(self, export_id: str, now: int, until: int) -> ExportProgress | None:
        def work(connection: Connection) -> ExportProgress | None:
            mine = update(table).where(table.c.id == export_id, _UNFINISHED, table.c.leased_until < now)
            if not connection.execute(mine.values(leased_until=until)).rowcount:
                return None
            count = select(func.count()).where(export_part.c.export_id == export_id)
            number = connection.execute(count).scalar_one()
            row = connection.execute(select(table.c.place_at, table.c.place_id).where(table.c.id == export_id)).one()
            return None if row.place_at is None else (row.place_at, row.place_id), number

        return await self._database.write(work)

    async def add(self, part: ExportPart, place: Place | None, until: int) -> bool:
        def work(connection: Connection) -> bool:
            at, name = (None, None) if place is None else place
            same = and_(table.c.id == part.export_id, _UNFINISHED)
            values = {"done": table.c.done + part.records, "place_at": at, "place_id": name, "leased_until": until}
            if not connection.execute(update(table).where(same).values(**values)).rowcount:
                return False
            row = {"export_id": part.export_id, "number": part.number, "sealed": part.sealed}
            connection.execute(insert(export_part).values(row))
            return True

        return await self._database.write(work)

    async def finish(self, export_id: str, now: int, reason: str = "") -> None:
        status = ExportStatus.FAILED if reason else ExportStatus.SUCCESS
        values = {"status": status.value, "reason": reason, "updated_at": now, "total": table.c.done}
        statement = update(table).where(table.c.id == export_id, _UNFINISHED).values(**values)
        await self._database.write(lambda connection: connection.execute(statement))

    async def part(self, export_id: str, number: int) -> bytes | None:
        statement = select(export_part.c.sealed).where(
            export_part.c.export_id == export_id, export_part.c.number == number
        )
        return await self._database.read(lambda connection: connection.execute(statement).scalar_one_or_none())

    async def forget(self, before: int) -> int:
        over = table.c.status.in_([ExportStatus.STOPPED.value, ExportStatus.FAILED.value])
        old = and_(table.c.status == ExportStatus.SUCCESS.value, table.c.updated_at < before)
        some = (
            select(export_part.c.export_id, export_part.c.number)
            .join(table, table.c.id == export_part.c.export_id)
            .where(over | old)
            .limit(AT_ONCE)
        )

        def work(connection: Connection) -> int:
            rows = connection.execute(some).all()
            for export_id, number in rows:
                connection.execute(
                    delete(export_part).where(export_part.c.export_id == export_id, export_part.c.number == number)
                )
            return len(rows)

        return await self._database.write(work)
