"""A visitor of the portal: whose slice he sees, and what of it he may change."""

from dataclasses import dataclass
from typing import Final

from headgate.tenancy.api_key import ApiKey, KeyLevel, KeyOwner
from headgate.tenancy.api_keys import TENANT_SCOPES
from headgate.tenancy.portal import KeyAccess, Portal
from headgate.tenancy.portal_session import Entry, PortalSession
from headgate.tenancy.principal import Principal
from headgate.tenancy.tenant import Tenant
from headgate.tenancy.tenant_member import TenantRole

CALLS: Final = "completions.write"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """`principal` sees this tenant and no other. `origins`: sites that may show the portal in a frame."""

    session: PortalSession
    principal: Principal
    tenant: Tenant
    portal: Portal
    time_zone: str
    origins: tuple[str, ...]
    role: TenantRole
    bounded: bool = False
    """He came with a key that has limits of its own, which another key would not have."""

    @property
    def read_only(self) -> bool:
        """An operator who looks at what the tenant sees."""
        return self.session.entry is Entry.VIEW

    @property
    def framed_by(self) -> tuple[str, ...]:
        """Sites in whose frames he may be: only a link leads there."""
        return self.origins if self.session.entry is Entry.LINK else ()

    @property
    def reads_keys(self) -> bool:
        return self.portal.keys is not KeyAccess.NONE

    @property
    def manages_keys(self) -> bool:
        allowed = self.portal.keys is KeyAccess.MANAGE and self.role is TenantRole.MANAGER
        return allowed and not self.bounded and not self.read_only

    @property
    def plays(self) -> bool:
        """May call models from the portal."""
        return self.portal.playground and not self.read_only and CALLS in self.principal.scopes

    def sees(self, scope: str) -> bool:
        """All calls of the tenant; else only those of the key he came with."""
        return self.session.entry is not Entry.KEY or scope in self.principal.scopes

    @property
    def guest(self) -> ApiKey:
        """What he could have as a key, for who came without one: all that the tenant may, and no more."""
        return ApiKey(
            id=self.session.id,
            organization_id=self.tenant.organization_id,
            workspace_id=self.tenant.workspace_id,
            tenant_id=self.tenant.id,
            level=KeyLevel.WORKSPACE,
            owner=KeyOwner.SERVICE,
            name="portal",
            hash=b"",
            masked="",
            scopes=TENANT_SCOPES,
            created_at=self.session.created_at,
            updated_at=self.session.created_at,
        )


def bounded(key: ApiKey) -> bool:
    """Whether a key is held to more than its tenant is: whoever has it makes no others."""
    limits = (key.usage_limits, key.rate_limits, key.metadata, key.config_id)
    return any(limits) or not key.allow_config_override or key.allowed_models is not None or key.expires_at is not None
