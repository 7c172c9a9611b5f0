"""Provider slugs: how a workspace addresses an integration."""

from sqlalchemy import Connection, select

from headgate.storage import tables
from headgate.storage.repositories import rows
from headgate.storage.repositories.integrations import with_global_access
from headgate.storage.tables import provider as table
from headgate.tenancy.integration import Integration, ProviderName, Provisioning


class SqlProviders:
    """A `tenancy.stores.ProviderStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, provider: ProviderName) -> None:
        rows.add(self._connection, table, rows.row_of(provider))

    def get(self, workspace_id: str, slug: str) -> ProviderName | None:
        row = rows.one(self._connection, table, table.c.workspace_id == workspace_id, table.c.slug == slug)
        return rows.noun_of(ProviderName, row) if row else None

    def of_integration(self, integration_id: str) -> list[ProviderName]:
        statement = select(table).where(table.c.integration_id == integration_id).order_by(table.c.created_at)
        return [rows.noun_of(ProviderName, row) for row in self._connection.execute(statement).mappings()]

    def in_workspace(self, workspace_id: str) -> list[tuple[ProviderName, Integration, Provisioning]]:
        names = select(table).where(table.c.workspace_id == workspace_id).order_by(table.c.slug)
        to = tables.integration_workspace
        enabled = select(to).where(to.c.workspace_id == workspace_id, to.c.enabled)
        provisionings = {
            row["integration_id"]: rows.noun_of(Provisioning, row)
            for row in self._connection.execute(enabled).mappings()
        }
        of = tables.integration
        integrations = {
            row["id"]: rows.noun_of(Integration, with_global_access(row))
            for row in self._connection.execute(select(of).where(of.c.id.in_(list(provisionings)))).mappings()
        }
        found = [rows.noun_of(ProviderName, row) for row in self._connection.execute(names).mappings()]
        return [
            (name, integrations[name.integration_id], provisionings[name.integration_id])
            for name in found
            if name.integration_id in provisionings
        ]
