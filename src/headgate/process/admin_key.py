"""Another admin key for an organization whose keys are lost: for whoever has the machine, and nobody else."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from headgate.base.clock import SystemClock
from headgate.base.errors import Conflict, NotFound
from headgate.bootstrap import database_url
from headgate.process.data_dir import DataDirLock
from headgate.process.look import database_exists
from headgate.process.master_key import read_master_keys
from headgate.settings import Settings
from headgate.storage.database import open_database
from headgate.storage.migrate import require_newest
from headgate.storage.pepper import load_pepper
from headgate.storage.stores import SqlTransactions
from headgate.tenancy.administration import Administration
from headgate.tenancy.api_key import KeyLevel, KeyOwner
from headgate.tenancy.api_keys import ApiKeyService
from headgate.tenancy.organization import Organization
from headgate.tenancy.principal import Principal
from headgate.tenancy.scopes import ORGANIZATION_SCOPES
from headgate.tenancy.vault import Vault

NAME = "Admin key made at the machine"


async def replace_admin_key(settings: Settings, organization: str | None) -> tuple[Organization, str]:
    """The organization, and the text of the new key. `organization` is an id; None where there is only one.

    The audit log names the operator. Raises `NotFound`, and `Conflict` while a server uses the database.
    """
    if not database_exists(settings):
        raise NotFound(f"There is no database in {settings.data_dir}: the first start makes one, with its admin key.")
    with _alone(settings):
        vault = Vault(read_master_keys(settings))
        database = await open_database(database_url(settings))
        try:
            await require_newest(database)
            pepper = await database.write(lambda connection: load_pepper(connection, vault))
            administration = Administration(SqlTransactions(database), SystemClock())
            of = _one(await administration.transactions.read(lambda stores: stores.organizations.all()), organization)
            fields = {"name": NAME, "scopes": sorted(ORGANIZATION_SCOPES)}
            service = ApiKeyService(administration, pepper)
            operator = Principal.operator(of.id)
            _, text = await service.create(operator, KeyLevel.ORGANIZATION, KeyOwner.SERVICE, fields)
            return of, text
        finally:
            await database.close()


def _alone(settings: Settings) -> AbstractContextManager[Any]:
    """SQLite has one writer."""
    return nullcontext() if settings.database_url is not None else DataDirLock.take(settings.data_dir)


def _one(organizations: list[Organization], wanted: str | None) -> Organization:
    found = [each for each in organizations if wanted in (None, each.id)]
    if not found:
        raise NotFound(f"There is no organization `{wanted}` here." if wanted else "There is no organization yet.")
    if len(found) > 1:
        raise Conflict(f"Say which with --organization: {', '.join(each.id for each in found)}.")
    return found[0]
