"""An invite: somebody is asked, by a link that works once, to become a user."""

from dataclasses import dataclass, field
from enum import StrEnum

from headgate.tenancy.roles import OrganizationRole, WorkspaceRole
from headgate.tenancy.tenant_member import TenantRole


class InviteStatus(StrEnum):
    """`expired` is seen from the clock, not stored."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class InvitedTo:
    """One workspace of an invite."""

    workspace_id: str
    role: WorkspaceRole


@dataclass(frozen=True, slots=True)
class InvitedToTenant:
    """One tenant of an invite: he will be one of its users, in the portal."""

    tenant_id: str
    role: TenantRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """`token_hash` is the HMAC of the link's token; the token itself is nowhere. Times are nanoseconds."""

    id: str
    organization_id: str
    email: str
    role: OrganizationRole
    workspaces: tuple[InvitedTo, ...]
    tenants: tuple[InvitedToTenant, ...] = ()
    key_scopes: frozenset[str] | None
    """Of the key he gets in each of the workspaces when he accepts; None: he gets none."""
    token_hash: bytes = field(repr=False)
    stored_status: InviteStatus = InviteStatus.PENDING
    invited_by: str
    """The actor."""
    expires_at: int
    accepted_at: int | None = None
    user_id: str | None = None
    """Who he became."""
    created_at: int
    updated_at: int

    def status(self, now: int) -> InviteStatus:
        pending = self.stored_status is InviteStatus.PENDING
        return InviteStatus.EXPIRED if pending and self.expires_at <= now else self.stored_status
