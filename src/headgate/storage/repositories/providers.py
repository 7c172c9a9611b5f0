"""Providers, in the table `provider`: integrations as workspaces name them."""

from collections.abc import Iterable

from sqlalchemy import Connection, delete, false, select

from headgate.storage import tables
from headgate.storage.repositories import rows
from headgate.storage.repositories.integrations import with_global_access
from headgate.storage.tables import provider as table
from headgate.tenancy.integration import Integration, Provisioning
from headgate.tenancy.provider import WorkspaceProvider
from headgate.tenancy.stores import Page


class SqlProviders:
    """A `tenancy.stores.ProviderStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, provider: WorkspaceProvider) -> None:
        rows.add(self._connection, table, rows.row_of(provider))

    def update(self, provider: WorkspaceProvider) -> None:
        rows.replace(self._connection, table, rows.row_of(provider))

    def remove(self, provider_id: str) -> None:
        self._connection.execute(delete(table).where(table.c.id == provider_id))

    def get(self, workspace_id: str, slug: str) -> WorkspaceProvider | None:
        row = rows.one(self._connection, table, table.c.workspace_id == workspace_id, table.c.slug == slug)
        return rows.noun_of(WorkspaceProvider, row) if row else None

    def of_integration(self, integration_id: str) -> list[WorkspaceProvider]:
        statement = select(table).where(table.c.integration_id == integration_id).order_by(table.c.created_at)
        return [rows.noun_of(WorkspaceProvider, row) for row in self._connection.execute(statement).mappings()]

    def find(
        self,
        organization_id: str,
        page: Page,
        *,
        workspace_id: str | None = None,
        slug: str | None = None,
        own: bool = False,
    ) -> tuple[list[tuple[WorkspaceProvider, Integration]], int]:
        of = tables.integration
        statement = select(table).join(of, of.c.id == table.c.integration_id)
        statement = statement.where(of.c.organization_id == organization_id)
        if workspace_id is not None:
            statement = statement.where(table.c.workspace_id == workspace_id)
        if slug is not None:
            statement = statement.where(table.c.slug == slug if "\0" not in slug else false())
        if own:
            statement = statement.where(of.c.workspace_id == table.c.workspace_id)
        found, total = rows.listed(self._connection, statement, page, WorkspaceProvider, table.c.created_at, table.c.id)
        integrations = self._integrations({each.integration_id for each in found})
        return [(each, integrations[each.integration_id]) for each in found], total

    def in_workspace(self, workspace_id: str) -> list[tuple[WorkspaceProvider, Integration, Provisioning]]:
        names = select(table).where(table.c.workspace_id == workspace_id).order_by(table.c.slug)
        to = tables.integration_workspace
        enabled = select(to).where(to.c.workspace_id == workspace_id, to.c.enabled)
        provisionings = {
            row["integration_id"]: rows.noun_of(Provisioning, row)
            for row in self._connection.execute(enabled).mappings()
        }
        integrations = self._integrations(provisionings)
        found = [rows.noun_of(WorkspaceProvider, row) for row in self._connection.execute(names).mappings()]
        return [
            (name, integrations[name.integration_id], provisionings[name.integration_id])
            for name in found
            if name.integration_id in provisionings
        ]

    def _integrations(self, ids: Iterable[str]) -> dict[str, Integration]:
        of = tables.integration
        found = self._connection.execute(select(of).where(of.c.id.in_(list(ids)))).mappings()
        return {row["id"]: rows.noun_of(Integration, with_global_access(row)) for row in found}
