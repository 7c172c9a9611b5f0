"""The services that are about people: who they are, and how they come in."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol

from headgate.tenancy import portal_sessions as of_portal
from headgate.tenancy import sessions as of_console
from headgate.tenancy.administration import Administration
from headgate.tenancy.envelope import Envelope
from headgate.tenancy.invites import InviteService
from headgate.tenancy.members import MemberService
from headgate.tenancy.password_resets import PasswordResetService
from headgate.tenancy.passwords import Passwords
from headgate.tenancy.portal_links import PortalLinkService
from headgate.tenancy.portal_sessions import PortalSessionService
from headgate.tenancy.second_factors import SecondFactorService
from headgate.tenancy.sessions import SessionService, Span
from headgate.tenancy.sign_on.issuer import Issuer
from headgate.tenancy.sign_on.matching import Matching
from headgate.tenancy.sign_on.service import SignOnService
from headgate.tenancy.tenant_members import TenantMemberService
from headgate.tenancy.tickets import Tickets
from headgate.tenancy.users import UserService
from headgate.tenancy.vault import Vault


class KeyRing(of_console.KeyRing, of_portal.KeyRing, Protocol):
    """What the directory of policies knows of keys and guests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleServices:
    """One of each."""

    users: UserService
    members: MemberService
    tenant_members: TenantMemberService
    invites: InviteService
    sessions: SessionService
    second_factors: SecondFactorService
    password_resets: PasswordResetService
    sign_on: SignOnService | None
    """None: there is no issuer."""
    portal_links: PortalLinkService
    portal_sessions: PortalSessionService

    def by_name(self) -> Mapping[str, Any]:
        """To make more of them."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


def people_services_on(
    administration: Administration,
    key_ring: KeyRing,
    vault: Vault,
    pepper: bytes,
    url: str,
    span: Span,
    envelope: Envelope | None,
    issuer: Issuer | None,
) -> PeopleServices:
    """All of them on one administration; see `services.services_on`."""
    passwords, tickets = Passwords(), Tickets(pepper, administration.clock)
    second_factors = SecondFactorService(administration, vault, passwords, pepper, tickets)
    sessions = SessionService(administration, key_ring, passwords, pepper, span, second_factors)
    sign_on = None
    if issuer is not None:
        sign_on = SignOnService(issuer, Matching(administration, issuer.settings, pepper), tickets, administration, url)
    return PeopleServices(
        users=UserService(administration),
        members=MemberService(administration),
        tenant_members=TenantMemberService(administration),
        invites=InviteService(administration, passwords, pepper, url, envelope),
        sessions=sessions,
        second_factors=second_factors,
        password_resets=PasswordResetService(administration, passwords, pepper, url, envelope),
        sign_on=sign_on,
        portal_links=PortalLinkService(administration, pepper, url),
        portal_sessions=PortalSessionService(administration, sessions, key_ring, pepper, span),
    )
