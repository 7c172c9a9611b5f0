"""Organizations, in the table `organization`."""

from sqlalchemy import Connection, select

from headgate.storage import tables
from headgate.storage.repositories import rows
from headgate.tenancy.organization import Organization


class SqlOrganizations:
    """A `tenancy.stores.OrganizationStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, organization: Organization) -> None:
        rows.add(self._connection, tables.organization, rows.row_of(organization))

    def update(self, organization: Organization) -> None:
        rows.replace(self._connection, tables.organization, rows.row_of(organization))

    def get(self, organization_id: str) -> Organization | None:
        row = rows.one(self._connection, tables.organization, tables.organization.c.id == organization_id)
        return rows.noun_of(Organization, row) if row else None

    def all(self) -> list[Organization]:
        table = tables.organization
        found = self._connection.execute(select(table).order_by(table.c.created_at, table.c.id)).mappings()
        return [rows.noun_of(Organization, row) for row in found]
