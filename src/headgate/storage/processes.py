"""Processes that may hold something of what all share, as the database knows them.

A row is there before its process borrows anything, and goes when that has given everything back; when its journal was
replayed by the next process on the same disk, and what it had borrowed was let go; or when it was given up. Times are
the database's: the clocks of machines need not agree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, text, update

from headgate.base.errors import Conflict, NotFound
from headgate.storage.database import Database
from headgate.storage.process_tables import process as table

ALIVE: Final = 60 * 1_000_000_000
"""A process that was seen since may still decide on what it borrowed: longer than its lease, by a margin."""


@dataclass(frozen=True, slots=True)
class Process:
    """`idle`: nanoseconds since it was last seen. `succeeded`: the next one on its disk has replayed its journal, and
    it was not seen since, so it holds nothing that nobody knows of."""

    id: str
    disk: str
    place: str
    started_at: int
    seen_at: int
    idle: int
    succeeded: bool

    @property
    def alive(self) -> bool:
        return self.idle < ALIVE


class Processes:
    """All methods raise `Unavailable` while the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def register(self, process_id: str, disk: str, place: str) -> None:
        """From now on it may borrow. Those that were on its disk before have been succeeded."""

        def write(connection: Connection) -> None:
            now = _now(connection)
            row = {"id": process_id, "disk": disk, "place": place, "started_at": now, "seen_at": now}
            connection.execute(insert(table).values(row))

        await self._database.write(write)

    async def seen(self, process_id: str) -> bool:
        """It lives. False: it was given up meanwhile."""

        def write(connection: Connection) -> bool:
            statement = update(table).where(table.c.id == process_id).values(seen_at=_now(connection))
            return connection.execute(statement).rowcount == 1

        return await self._database.write(write)

    async def all(self) -> list[Process]:
        """In the order in which they started."""

        def read(connection: Connection) -> list[Process]:
            now = _now(connection)
            rows = connection.execute(select(table).order_by(table.c.started_at, table.c.id)).mappings().all()
            newest = {row["disk"]: row for row in rows}
            return [
                Process(**row, idle=max(now - row["seen_at"], 0), succeeded=_succeeded(row, newest[row["disk"]]))
                for row in rows
            ]

        return await self._database.read(read)

    async def members(self) -> list[str]:
        """All that may hold something."""
        return [each.id for each in await self.all() if not each.succeeded]

    async def dead(self, process_id: str) -> Process:
        """To be given up by hand. Raises `NotFound`, and `Conflict` for one that may be alive."""
        found = {each.id: each for each in await self.all()}.get(process_id)
        if found is None:
            raise NotFound(f"There is no process `{process_id}`. Run: headgate processes list")
        if found.alive:
            raise Conflict(
                f"`{process_id}` was seen {found.idle // 1_000_000_000} s ago. Stop it first: while it lives it gives "
                f"back what it holds by itself. One that died can be given up {ALIVE // 1_000_000_000} s later."
            )
        return found

    async def remove(self, process_ids: Sequence[str]) -> None:
        """They hold nothing any more."""
        await self._database.write(
            lambda connection: connection.execute(delete(table).where(table.c.id.in_(process_ids)))
        )


def _succeeded(row: Mapping[Any, Any], newest: Mapping[Any, Any]) -> bool:
    """One that was seen since lives, on a clone of the disk."""
    return bool(newest["id"] != row["id"] and row["seen_at"] <= newest["started_at"])


def _now(connection: Connection) -> int:
    if connection.dialect.name == "postgresql":
        statement = text("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT) * 1000")
    else:
        statement = text("SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) * 1000000")
    return int(connection.execute(statement).scalar_one())
