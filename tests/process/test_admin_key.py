"""A lost admin key is replaced by whoever has the machine, and by nobody else."""

from pathlib import Path

import pytest

from headgate.base.errors import Conflict, NotFound
from headgate.bootstrap import Gateway, open_gateway
from headgate.process.admin_key import NAME, replace_admin_key
from headgate.process.data_dir import DataDirLock
from headgate.process.first_start import first_start
from headgate.process.master_key import load_master_keys
from headgate.settings import Settings
from headgate.tenancy import keys
from headgate.tenancy.audit import verify_chain
from headgate.tenancy.scopes import ORGANIZATION_SCOPES
from headgate.tenancy.vault import Vault


async def _opened(settings: Settings) -> Gateway:
    return await open_gateway(settings, Vault(load_master_keys(settings)))


async def test_the_new_key_may_everything_and_the_log_names_the_operator(tmp_path: Path) -> None:
    """It works at the next start; those before it go on working."""
    first = keys.mint(b"").text
    settings = Settings(data_dir=tmp_path, admin_key=first)
    gateway = await _opened(settings)
    await first_start(settings, gateway)
    await gateway.close()

    organization, text = await replace_admin_key(settings, None)

    gateway = await _opened(settings)
    try:
        policy = await gateway.services.directory.authenticate(text)
        assert (policy.organization_id, policy.scopes) == (organization.id, ORGANIZATION_SCOPES)
        await gateway.services.directory.authenticate(first)
        log = await gateway.administration.transactions.read(lambda stores: stores.audit.after(organization.id, 0, 100))
        assert (log[-1].actor, log[-1].action, NAME in log[-1].body) == ("operator", "create", True)
        assert text.split("_")[2] not in log[-1].body
        assert verify_chain(log).intact
    finally:
        await gateway.close()


async def test_it_does_not_write_beside_a_server(tmp_path: Path) -> None:
    """SQLite has one writer; where nothing was founded there is nothing to replace."""
    settings = Settings(data_dir=tmp_path)
    with pytest.raises(NotFound):
        await replace_admin_key(settings, None)
    gateway = await _opened(settings)
    await gateway.close()
    with DataDirLock.take(tmp_path), pytest.raises(Conflict):
        await replace_admin_key(settings, None)
    with pytest.raises(NotFound):
        await replace_admin_key(settings, None)
    await _found(settings)
    with pytest.raises(NotFound):
        await replace_admin_key(settings, "org_none")


async def _found(settings: Settings) -> None:
    gateway = await _opened(settings)
    await first_start(settings, gateway)
    await gateway.close()
