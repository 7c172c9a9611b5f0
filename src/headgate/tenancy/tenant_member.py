"""A user who belongs to a tenant: one of the platform's customers, with a sign-in of his own for the portal."""

from dataclasses import dataclass
from enum import StrEnum

from headgate.base.errors import InvalidRequest


class TenantRole(StrEnum):
    """Of a visitor in the portal of his tenant."""

    MANAGER = "manager"
    """May all that the administrator lets customers of this tenant do."""
    MEMBER = "member"
    """Looks at everything, uses the playground, and changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantMember:
    """A user in one tenant. Times are nanoseconds since the epoch."""

    tenant_id: str
    user_id: str
    role: TenantRole
    created_at: int
    updated_at: int


def tenant_role(value: object, param: str = "role") -> TenantRole:
    """Raises `InvalidRequest` naming the roles there are."""
    try:
        return TenantRole(str(value))
    except ValueError:
        raise InvalidRequest(f"`{param}` must be one of {', '.join(TenantRole)}.", param=param) from None
