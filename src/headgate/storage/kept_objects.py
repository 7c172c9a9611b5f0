"""`tenancy.kept_object.KeptObjects` on SQL."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from headgate.storage.database import Database
from headgate.storage.kept_tables import kept_object as table
from headgate.tenancy.kept_object import KeptObject, Owner

_COLUMNS: Final = tuple(table.c[field.name] for field in fields(KeptObject))


class SqlKeptObjects:
    """On any of the databases."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, found: KeptObject) -> None:
        engine = sqlite if self._database.facts().engine == "sqlite" else postgresql
        statement = engine.insert(table).values(asdict(found))
        statement = statement.on_conflict_do_update(
            index_elements=["id", "integration_id"], set_={"document": found.document}
        )
        await self._database.write(lambda connection: connection.execute(statement))

    async def named(self, identifiers: Sequence[str]) -> list[KeptObject]:
        statement = select(*_COLUMNS).where(table.c.id.in_(identifiers))
        rows = await self._database.read(lambda connection: connection.execute(statement).mappings().all())
        return [KeptObject(**row) for row in rows]

    async def of(self, owner: Owner, kind: str) -> list[KeptObject]:
        whose = table.c.key_id == owner.key_id if owner.tenant_id is None else table.c.tenant_id == owner.tenant_id
        statement = (
            select(*_COLUMNS)
            .where(whose, table.c.kind == kind, table.c.workspace_id == owner.workspace_id)
            .order_by(table.c.created_at.desc(), table.c.id)
        )
        rows = await self._database.read(lambda connection: connection.execute(statement).mappings().all())
        return [found for row in rows if (found := KeptObject(**row)).belongs_to(owner)]

    async def remove(self, found: KeptObject) -> None:
        statement = delete(table).where(table.c.id == found.id, table.c.integration_id == found.integration_id)
        await self._database.write(lambda connection: connection.execute(statement))
