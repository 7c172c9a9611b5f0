"""Workspaces, in the table `workspace`."""

from sqlalchemy import ColumnElement, Connection, delete, func, select

from headgate.storage import tables
from headgate.storage.alert_tables import alert_setting, webhook
from headgate.storage.people_tables import workspace_user
from headgate.storage.repositories import rows
from headgate.storage.repositories.versioned import remove_versioned
from headgate.storage.repositories.webhooks import SqlWebhooks
from headgate.storage.tables import workspace as table
from headgate.tenancy.stores import Match, Page
from headgate.tenancy.workspace import Workspace


class SqlWorkspaces:
    """A `tenancy.stores.WorkspaceStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, workspace: Workspace) -> None:
        rows.add(self._connection, table, rows.row_of(workspace))

    def update(self, workspace: Workspace) -> None:
        rows.replace(self._connection, table, rows.row_of(workspace))

    def remove(self, workspace_id: str) -> None:
        for child in (
            tables.provider,
            tables.integration_workspace,
            tables.limit_policy,
            alert_setting,
            workspace_user,
        ):
            self._connection.execute(delete(child).where(child.c.workspace_id == workspace_id))
        webhooks = SqlWebhooks(self._connection)
        its = select(webhook.c.id).where(webhook.c.workspace_id == workspace_id)
        for webhook_id in self._connection.execute(its).scalars().all():
            webhooks.remove(webhook_id)
        remove_versioned(self._connection, workspace_id)
        key = tables.api_key
        revoked = key.c.revoked_at.is_not(None)
        self._connection.execute(delete(key).where(key.c.workspace_id == workspace_id, revoked))
        self._connection.execute(delete(table).where(table.c.id == workspace_id))

    def get(self, organization_id: str, reference: str) -> Workspace | None:
        row = rows.by_reference(self._connection, table, organization_id, reference)
        return rows.noun_of(Workspace, row) if row else None

    def named(self, organization_id: str, name: str) -> Workspace | None:
        row = rows.one(self._connection, table, table.c.organization_id == organization_id, table.c.name == name)
        return rows.noun_of(Workspace, row) if row else None

    def find(
        self, organization_id: str, page: Page, *, only: str | None = None, name: str | None = None, by: Match = "part"
    ) -> tuple[list[Workspace], int]:
        statement = select(table).where(table.c.organization_id == organization_id)
        if only is not None:
            statement = statement.where(table.c.id == only)
        if name:
            statement = statement.where(_named(name, by))
        return rows.listed(self._connection, statement, page, Workspace, table.c.created_at, table.c.id)


def _named(name: str, by: Match) -> ColumnElement[bool]:
    """On both engines alike: `LIKE` heeds case on PostgreSQL only."""
    match by:
        case "part":
            return func.replace(table.c.name, name, "") != table.c.name
        case "part in any case":
            return table.c.name.icontains(name, autoescape=True)
        case "whole":
            return table.c.name == name
