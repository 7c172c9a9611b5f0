"""The audit log of a data directory, checked: beside a running server or without one, and nothing is changed."""

from sqlalchemy import Connection

from headgate.base.errors import NotFound
from headgate.process.look import database_exists, opened
from headgate.settings import Settings
from headgate.storage import migrate
from headgate.storage.stores import SqlStores
from headgate.tenancy.audit import ChainReport, verify_chain
from headgate.tenancy.audit_log import entries
from headgate.tenancy.organization import Organization


async def verify_audit(settings: Settings, known_head: bytes | None) -> list[tuple[Organization, ChainReport]]:
    """The chain of every organization. `known_head` must be in one of them. Raises `NotFound` where there is no
    database, and `Conflict` for another version's schema."""
    if not database_exists(settings):
        raise NotFound(f"There is no database in {settings.data_dir}: nothing to verify.")

    def verify(connection: Connection) -> list[tuple[Organization, ChainReport]]:
        stores = SqlStores(connection)
        return [(each, verify_chain(entries(stores.audit, each.id), known_head)) for each in stores.organizations.all()]

    async with opened(settings) as database:
        await migrate.require_newest(database)
        return await database.read(verify)
