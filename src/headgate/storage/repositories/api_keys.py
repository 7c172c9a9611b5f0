"""API keys, in the table `api_key`. Revoked ones stay."""

from collections.abc import Collection

from sqlalchemy import Connection, and_, false, func, or_, select

from headgate.storage.repositories import rows
from headgate.storage.tables import api_key as table
from headgate.tenancy.api_key import ApiKey, Kind
from headgate.tenancy.stores import Page


class SqlApiKeys:
    """A `tenancy.stores.ApiKeyStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, key: ApiKey) -> None:
        rows.add(self._connection, table, rows.row_of(key))

    def update(self, key: ApiKey) -> None:
        rows.replace(self._connection, table, rows.row_of(key))

    def get(self, key_id: str) -> ApiKey | None:
        row = None if "\0" in key_id else rows.one(self._connection, table, table.c.id == key_id)
        return rows.noun_of(ApiKey, row) if row else None

    def find(
        self,
        organization_id: str,
        page: Page,
        *,
        kinds: Collection[Kind] | None = None,
        workspace_id: str | None = None,
        tenant_id: str | None = None,
        name: str | None = None,
    ) -> tuple[list[ApiKey], int]:
        statement = select(table).where(table.c.organization_id == organization_id, table.c.revoked_at.is_(None))
        if kinds is not None:
            one_of = (and_(table.c.level == level, table.c.owner == owner) for level, owner in kinds)
            statement = statement.where(or_(false(), *one_of))
        if workspace_id is not None:
            statement = statement.where(table.c.workspace_id == workspace_id)
        if tenant_id is not None:
            statement = statement.where(table.c.tenant_id == tenant_id)
        if name is not None:
            parts = (each.icontains(name, autoescape=True) for each in (table.c.name, table.c.id))
            statement = statement.where(or_(*parts))
        return rows.listed(self._connection, statement, page, ApiKey, table.c.created_at, table.c.id)

    def with_config(self, organization_id: str, slug: str) -> int:
        at = table.c
        statement = select(func.count()).where(at.organization_id == organization_id, at.config_id == slug)
        return self._connection.execute(statement.where(at.revoked_at.is_(None))).scalar_one()

    def of_user(self, organization_id: str, user_id: str, workspace_id: str | None = None) -> list[ApiKey]:
        at = table.c
        statement = select(table).where(at.organization_id == organization_id, at.user_id == user_id)
        statement = statement.where(at.revoked_at.is_(None)).order_by(at.created_at, at.id)
        if workspace_id is not None:
            statement = statement.where(at.workspace_id == workspace_id)
        return [rows.noun_of(ApiKey, row) for row in self._connection.execute(statement).mappings()]
