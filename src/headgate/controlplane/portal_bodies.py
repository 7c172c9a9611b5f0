"""Bodies and views of what concerns the portal."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from headgate.controlplane.body import Body
from headgate.tenancy.moments import to_iso
from headgate.tenancy.portal import MOST_ORIGINS, KeyAccess
from headgate.tenancy.portal_session import PortalSession
from headgate.tenancy.tenant_member import TenantMember, TenantRole
from headgate.tenancy.user import User

_ROLE = "`manager`: all that the administrator allows; `member`: looks and uses the playground."

# Read by `tenancy.portal`, which names the very field that is wrong.
Portal = Annotated[
    Any,
    WithJsonSchema(
        {
            "type": ["object", "null"],
            "description": "What customers may do in the portal. A field that is absent is inherited: tenant over "
            "workspace over the default.",
            "additionalProperties": False,
            "properties": {
                "keys": {"enum": list(KeyAccess), "default": "read"},
                "playground": {"type": "boolean", "default": True},
                "request_log": {"type": "boolean", "default": True},
            },
        }
    ),
]
PortalOrigins = Annotated[
    Any,
    WithJsonSchema(
        {
            "type": ["array", "null"],
            "description": "Sites that may show the portal in a frame, such as `https://app.example.com`.",
            "maxItems": MOST_ORIGINS,
            "items": {"type": "string"},
        }
    ),
]


class NewPortalSession(Body):
    name: str | None = Field(None, description="Who comes with the link, for the page and the audit log.")
    role: str | None = Field(None, description=_ROLE + " `manager` if absent.")
    expires_in: int | None = Field(None, description="Seconds until which the link must be opened: 30 to 3600; 300.")
    return_url: str | None = Field(None, description="Where the page's way back leads: http or https.")


class NewTenantMember(Body):
    id: str = Field(description="Of the user.")
    role: str = Field(TenantRole.MEMBER, description=_ROLE)


class NewTenantMembers(Body):
    users: list[NewTenantMember]


def session(found: PortalSession) -> dict[str, Any]:
    """Everything but its link."""
    return {
        "id": found.id,
        "tenant_id": found.tenant_id,
        "name": found.name,
        "entry": found.entry,
        "role": found.role,
        "status": found.status,
        "created_by": found.created_by,
        "return_url": found.return_url,
        "client_ip": found.client_ip,
        "user_agent": found.user_agent,
        "created_at": to_iso(found.created_at),
        "opened_at": None if found.opened_at is None else to_iso(found.opened_at),
        "last_seen_at": None if found.opened_at is None else to_iso(found.seen_at),
        "expires_at": to_iso(found.expires_at),
        "object": "portal-session",
    }


def members(found: Sequence[tuple[TenantMember, User]]) -> list[dict[str, Any]]:
    """The users of one tenant."""
    return [
        {
            "id": of.id,
            "email": of.email,
            "first_name": of.first_name,
            "last_name": of.last_name,
            "role": each.role,
            "tenant_id": each.tenant_id,
            "created_at": to_iso(each.created_at),
            "last_updated_at": to_iso(each.updated_at),
            "object": "tenant-user",
        }
        for each, of in found
    ]
