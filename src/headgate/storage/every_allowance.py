"""Every allowance that is in force, as the data plane knows them, read from their owners' rows."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Connection, Table, select

from headgate.ledger.allowance import Allowance, Scope
from headgate.storage import tables
from headgate.storage.zones import zones
from headgate.tenancy.limits import RateLimit, UsageLimit, Zone, allowances

_OWNERS: Final[tuple[tuple[str, Table, str, str], ...]] = (
    ("organization", tables.organization, "id", "name"),
    ("workspace", tables.workspace, "organization_id", "slug"),
    ("tenant", tables.tenant, "organization_id", "slug"),
    ("api_key", tables.api_key, "organization_id", "name"),
)
"""Kind of scope, its table, the columns with the organization's id and with the name."""


def every_allowance(connection: Connection) -> Iterator[Allowance]:
    """In the order of their owners, without those of limit policies, which follow from calls. Keys that are revoked
    have none."""
    zone_of = zones(connection)
    for kind, table, organization, name in _OWNERS:
        for row in connection.execute(select(table).order_by(table.c.id)).mappings():
            if row.get("revoked_at") is None:
                yield from _of(Scope(kind, row["id"], row[name]), row, zone_of[row[organization]])
    given, integration = tables.integration_workspace, tables.integration
    statement = select(given, integration.c.slug, integration.c.organization_id).join(
        integration, integration.c.id == given.c.integration_id
    )
    for row in connection.execute(statement).mappings():
        scope = Scope("integration", f"{row['integration_id']}:{row['workspace_id']}", row["slug"])
        yield from _of(scope, row, zone_of[row["organization_id"]])
    provider = tables.provider
    named = select(provider, integration.c.organization_id).join(
        integration, integration.c.id == provider.c.integration_id
    )
    for row in connection.execute(named).mappings():
        scope = Scope("provider", f"{row['workspace_id']}:{row['slug']}", row["slug"])
        yield from _of(scope, row, zone_of[row["organization_id"]])


def _of(scope: Scope, row: Mapping[Any, Any], zone: Zone) -> tuple[Allowance, ...]:
    return allowances(
        scope,
        [UsageLimit.stored(document) for document in row["usage_limits"]],
        [RateLimit.stored(document) for document in row["rate_limits"]],
        zone=zone,
        usage_reset_at=row.get("usage_reset_at"),
    )
