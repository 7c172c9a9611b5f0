"""The audit log of a data directory, checked: beside a running server or without one, and nothing is changed."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection

from headgate.base.errors import NotFound
from headgate.process.look import database_exists, opened
from headgate.settings import Settings
from headgate.storage import migrate
from headgate.storage.stores import SqlStores
from headgate.tenancy.audit import AuditEntry, ChainReport, verify_chain
from headgate.tenancy.organization import Organization
from headgate.tenancy.stores import AuditStore

AT_ONCE: Final = 1_000


async def verify_audit(settings: Settings, known_head: bytes | None) -> list[tuple[Organization, ChainReport]]:
    """The chain of every organization. `known_head` must be in one of them. Raises `NotFound` where there is no
    database, and `Conflict` for another version's schema."""
    if not database_exists(settings):
        raise NotFound(f"There is no database in {settings.data_dir}: nothing to verify.")

    def verify(connection: Connection) -> list[tuple[Organization, ChainReport]]:
        stores = SqlStores(connection)
        return [
            (each, verify_chain(_entries(stores.audit, each.id), known_head)) for each in stores.organizations.all()
        ]

    async with opened(settings) as database:
        await migrate.require_newest(database)
        return await database.read(verify)


def _entries(audit: AuditStore, organization_id: str) -> Iterator[AuditEntry]:
    seq = 0
    while page := audit.after(organization_id, seq, AT_ONCE):
        yield from page
        seq = page[-1].seq
