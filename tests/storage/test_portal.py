"""Links, sessions and users of the portal, and what is allowed in it, on both engines."""

import asyncio
import json

from headgate.base.errors import Unauthenticated
from headgate.storage.database import Database
from headgate.storage.stores import SqlTransactions
from headgate.tenancy import keys
from headgate.tenancy.administration import Administration
from headgate.tenancy.directory import Directory
from headgate.tenancy.founding import found
from headgate.tenancy.organizations import OrganizationService
from headgate.tenancy.origin import Origin
from headgate.tenancy.passwords import Passwords
from headgate.tenancy.policy_loader import PolicyLoader
from headgate.tenancy.portal_links import PortalLinkService
from headgate.tenancy.portal_sessions import PortalSessionService
from headgate.tenancy.principal import Principal
from headgate.tenancy.second_factors import SecondFactorService
from headgate.tenancy.sessions import SessionService, Span
from headgate.tenancy.stores import Page
from headgate.tenancy.tenants import TenantService
from headgate.tenancy.tickets import Tickets
from headgate.tenancy.vault import MasterKey, Vault
from headgate.tenancy.workspaces import WorkspaceService
from tests.support.administration import CATALOG
from tests.support.ledger import ManualClock

PEPPER = b"p" * keys.PEPPER_BYTES
ORIGIN = Origin("req", "GET", "/portal/enter", "", json.dumps({"user-agent": "Test/1"}), "null", "127.0.0.1")


async def test_of_all_who_open_a_link_at_once_one_comes_in(database: Database) -> None:
    """And is listed, with what customers may do as it was written; removed, he is out."""
    administration = Administration(SqlTransactions(database), ManualClock(1))
    organization = await found(administration, keys.mint(PEPPER))
    assert organization is not None
    operator = Principal.operator(organization.id)
    loader = PolicyLoader(administration.transactions, Vault([MasterKey.generate()]), CATALOG)
    directory = Directory(loader, PEPPER, administration.clock, lambda what, error: None)
    tickets = Tickets(PEPPER, administration.clock)
    factors = SecondFactorService(administration, Vault([MasterKey.generate()]), Passwords(), PEPPER, tickets)
    sessions = SessionService(administration, directory, Passwords(), PEPPER, Span(), factors)
    portal = PortalSessionService(administration, sessions, directory, PEPPER, Span())
    links = PortalLinkService(administration, PEPPER, "http://test")
    await OrganizationService(administration).update(operator, {"portal_origins": ["https://app.example.com"]})
    await WorkspaceService(administration).update(operator, "default", {"portal": {"keys": "manage"}})
    tenant = {"tenant_id": "acme", "workspace_id": "default", "portal": {"playground": False}}
    made = await TenantService(administration).create(operator, tenant)
    pending, url = await links.create(operator, "acme", {"name": "é 😀"})
    token = url.partition("token=")[2]
    entries = await asyncio.gather(*(portal.enter_with_link(token, ORIGIN) for _ in range(5)), return_exceptions=True)
    [(session, cookie)] = [each for each in entries if not isinstance(each, BaseException)]
    assert [type(each) for each in entries if isinstance(each, BaseException)] == [Unauthenticated] * 4
    assert (session.id, session.name) == (pending.id, "é 😀")
    visitor = await portal.visitor(cookie)
    assert (visitor.tenant, visitor.origins) == (made, ("https://app.example.com",))
    assert (visitor.manages_keys, visitor.plays, visitor.portal.request_log) == (True, False, True)
    policy = await portal.policy(visitor)
    assert (policy.tenant_id, policy.key_id) == (made.id, session.id)
    assert (await links.find(operator, made.id, Page())) == ([visitor.session], 1)
    await links.revoke(operator, "acme", session.id)
    assert (await links.find(operator, made.id, Page())) == ([], 0)
    await directory.close()
