"""The first start: everything at once, and only once."""

import asyncio

from headgate.base.clock import SystemClock
from headgate.storage.database import Database
from headgate.storage.stores import SqlTransactions
from headgate.tenancy import audit, keys
from headgate.tenancy.administration import Administration
from headgate.tenancy.founding import DEFAULT_WORKSPACE, found
from headgate.tenancy.scopes import ORGANIZATION_SCOPES
from headgate.tenancy.stores import Page

PEPPER = b"p" * keys.PEPPER_BYTES


def administration(database: Database) -> Administration:
    return Administration(SqlTransactions(database), SystemClock())


async def test_it_makes_an_organization_a_workspace_and_an_admin_key(database: Database) -> None:
    """All three exist afterwards, the key with every scope of an administrator, and the audit log tells of each."""
    minted = keys.mint(PEPPER)
    organization = await found(administration(database), minted)
    assert organization is not None
    read = SqlTransactions(database).read
    (workspace,), _ = await read(lambda stores: stores.workspaces.find(organization.id, Page()))
    assert (workspace.slug, workspace.is_default) == (DEFAULT_WORKSPACE, True)
    (key,), _ = await read(lambda stores: stores.api_keys.find(organization.id, Page()))
    assert (key.id, key.hash, key.workspace_id, key.scopes) == (minted.id, minted.hash, None, ORGANIZATION_SCOPES)
    entries = await read(lambda stores: stores.audit.after(organization.id, 0, 100))
    assert [entry.resource.split(":")[0] for entry in entries] == ["organization", "workspace", "api_key"]
    assert audit.verify_chain(entries).intact


async def test_a_second_time_nothing_happens(database: Database) -> None:
    """An installation has one founding: the second key is not taken, and nothing is added to the audit log."""
    assert await found(administration(database), keys.mint(PEPPER)) is not None
    second = keys.mint(PEPPER)
    assert await found(administration(database), second) is None
    assert await SqlTransactions(database).read(lambda stores: stores.api_keys.get(second.id)) is None


async def test_of_nodes_that_start_together_one_founds(database: Database) -> None:
    """On both engines: the others see its organization."""
    founded = await asyncio.gather(*(found(administration(database), keys.mint(PEPPER)) for _ in range(4)))
    assert sum(organization is not None for organization in founded) == 1
    assert len(await SqlTransactions(database).read(lambda stores: stores.organizations.all())) == 1
