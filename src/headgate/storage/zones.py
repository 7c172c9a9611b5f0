"""In which time zone each organization's periods begin."""

from sqlalchemy import Connection, select

from headgate.storage.tables import organization
from headgate.tenancy.limits import Zone


def zones(connection: Connection) -> dict[str, Zone]:
    """By the organization's id."""
    columns = organization.c
    rows = connection.execute(select(columns.id, columns.time_zone, columns.time_zone_set_at))
    return {row.id: Zone(row.time_zone, row.time_zone_set_at) for row in rows}
