"""Tenants, in the table `tenant`."""

from sqlalchemy import Connection, delete, or_, select

from headgate.storage.alert_tables import webhook
from headgate.storage.portal_tables import portal_session, tenant_user
from headgate.storage.repositories import rows
from headgate.storage.repositories.webhooks import SqlWebhooks
from headgate.storage.tables import api_key
from headgate.storage.tables import tenant as table
from headgate.tenancy.stores import Page
from headgate.tenancy.tenant import Tenant


class SqlTenants:
    """A `tenancy.stores.TenantStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, tenant: Tenant) -> None:
        rows.add(self._connection, table, rows.row_of(tenant))

    def update(self, tenant: Tenant) -> None:
        rows.replace(self._connection, table, rows.row_of(tenant))

    def remove(self, tenant_id: str) -> None:
        webhooks = SqlWebhooks(self._connection)
        its = select(webhook.c.id).where(webhook.c.tenant_id == tenant_id)
        for webhook_id in self._connection.execute(its).scalars().all():
            webhooks.remove(webhook_id)
        for people in (tenant_user, portal_session):
            self._connection.execute(delete(people).where(people.c.tenant_id == tenant_id))
        revoked = api_key.c.revoked_at.is_not(None)
        self._connection.execute(delete(api_key).where(api_key.c.tenant_id == tenant_id, revoked))
        self._connection.execute(delete(table).where(table.c.id == tenant_id))

    def get(self, organization_id: str, reference: str) -> Tenant | None:
        row = rows.by_reference(self._connection, table, organization_id, reference)
        return rows.noun_of(Tenant, row) if row else None

    def named(self, workspace_id: str, name: str) -> Tenant | None:
        row = rows.one(self._connection, table, table.c.workspace_id == workspace_id, table.c.name == name)
        return rows.noun_of(Tenant, row) if row else None

    def find(
        self, organization_id: str, page: Page, *, workspace_id: str | None = None, name: str | None = None
    ) -> tuple[list[Tenant], int]:
        statement = select(table).where(table.c.organization_id == organization_id)
        if workspace_id is not None:
            statement = statement.where(table.c.workspace_id == workspace_id)
        if name is not None:
            parts = (each.icontains(name, autoescape=True) for each in (table.c.name, table.c.slug))
            statement = statement.where(or_(*parts))
        return rows.listed(self._connection, statement, page, Tenant, table.c.created_at, table.c.id)
