"""Integrations, their provisioning to workspaces and their models."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from headgate.storage import tables
from headgate.storage.kept_tables import kept_object
from headgate.storage.repositories import rows
from headgate.storage.tables import integration as table
from headgate.tenancy.integration import GlobalAccess, Integration, IntegrationModel, Provisioning
from headgate.tenancy.limits import RateLimit, UsageLimit
from headgate.tenancy.stores import Page


def integration_row(integration: Integration) -> dict[str, Any]:
    row = rows.row_of(integration)
    access: GlobalAccess = row.pop("global_access")
    return row | {f"global_{name}": value for name, value in rows.row_of(access).items()}


def with_global_access(row: Mapping[Any, Any]) -> dict[str, Any]:
    """The row in the shape `rows.noun_of` takes."""
    access = GlobalAccess(
        enabled=row["global_enabled"],
        usage_limits=tuple(map(UsageLimit.stored, row["global_usage_limits"])),
        rate_limits=tuple(map(RateLimit.stored, row["global_rate_limits"])),
    )
    return {**row, "global_access": access}


class SqlIntegrations:
    """A `tenancy.stores.IntegrationStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, integration: Integration) -> None:
        rows.add(self._connection, table, integration_row(integration))

    def update(self, integration: Integration) -> None:
        rows.replace(self._connection, table, integration_row(integration))

    def remove(self, integration_id: str) -> None:
        for child in (tables.provider, tables.integration_model, tables.integration_workspace, kept_object):
            self._connection.execute(delete(child).where(child.c.integration_id == integration_id))
        self._connection.execute(delete(table).where(table.c.id == integration_id))

    def get(self, organization_id: str, reference: str) -> Integration | None:
        row = rows.by_reference(self._connection, table, organization_id, reference)
        return rows.noun_of(Integration, with_global_access(row)) if row else None

    def named(self, organization_id: str, name: str) -> Integration | None:
        row = rows.one(self._connection, table, table.c.organization_id == organization_id, table.c.name == name)
        return rows.noun_of(Integration, with_global_access(row)) if row else None

    def slugs(self, organization_id: str) -> set[str]:
        statement = select(table.c.slug).where(table.c.organization_id == organization_id)
        return set(self._connection.execute(statement).scalars())

    def find(
        self, organization_id: str, page: Page, *, workspace_id: str | None = None, owned: bool | None = None
    ) -> tuple[list[Integration], int]:
        statement = select(table).where(table.c.organization_id == organization_id)
        if owned is not None:
            statement = statement.where(table.c.workspace_id.is_not(None) if owned else table.c.workspace_id.is_(None))
        if workspace_id is not None:
            to = tables.integration_workspace
            provisioned = select(to.c.integration_id).where(to.c.workspace_id == workspace_id, to.c.enabled)
            statement = statement.where(table.c.id.in_(provisioned))
        found, total = rows.page_of(self._connection, statement, page, table.c.created_at, table.c.id)
        return [rows.noun_of(Integration, with_global_access(row)) for row in found], total

    def owned_by(self, workspace_id: str) -> int:
        statement = select(func.count()).where(table.c.workspace_id == workspace_id)
        return self._connection.execute(statement).scalar_one()

    def provisioning(self, integration_id: str, workspace_id: str) -> Provisioning | None:
        to = tables.integration_workspace
        row = rows.one(self._connection, to, to.c.integration_id == integration_id, to.c.workspace_id == workspace_id)
        return rows.noun_of(Provisioning, row) if row else None

    def provisionings(self, integration_id: str) -> list[Provisioning]:
        to = tables.integration_workspace
        statement = select(to).where(to.c.integration_id == integration_id).order_by(to.c.created_at, to.c.workspace_id)
        return [rows.noun_of(Provisioning, row) for row in self._connection.execute(statement).mappings()]

    def save_provisioning(self, provisioning: Provisioning) -> None:
        to = tables.integration_workspace
        self._save(to, rows.row_of(provisioning), "integration_id", "workspace_id")

    def models(self, integration_id: str) -> list[IntegrationModel]:
        of = tables.integration_model
        statement = select(of).where(of.c.integration_id == integration_id).order_by(of.c.slug)
        return [rows.noun_of(IntegrationModel, row) for row in self._connection.execute(statement).mappings()]

    def save_model(self, model: IntegrationModel) -> None:
        self._save(tables.integration_model, rows.row_of(model), "integration_id", "slug")

    def remove_model(self, integration_id: str, slug: str) -> None:
        of = tables.integration_model
        self._connection.execute(delete(of).where(of.c.integration_id == integration_id, of.c.slug == slug))

    def _save(self, into: Any, row: Mapping[str, Any], *key: str) -> None:
        # Update, else insert: administration is one change at a time, so nothing comes in between.
        same = and_(*(into.c[name] == row[name] for name in key))
        if self._connection.execute(update(into).where(same).values(**row)).rowcount == 0:
            self._connection.execute(insert(into).values(**row))
