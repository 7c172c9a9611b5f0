"""What is told of the portal: what customers may do in it, who belongs to a tenant, who looks at one."""

from typing import Literal

from headgate.controlplane.openapi.shape import Moment, Shape


class PortalRules(Shape):
    """What is absent is inherited."""

    keys: Literal["none", "read", "manage"] | None = None
    playground: bool | None = None
    request_log: bool | None = None


class TenantUser(Shape):
    id: str
    email: str
    first_name: str
    last_name: str
    role: Literal["manager", "member"]
    tenant_id: str
    created_at: Moment
    last_updated_at: Moment
    object: Literal["tenant-user"]


class PortalSession(Shape):
    id: str
    tenant_id: str
    name: str
    entry: Literal["link", "key", "user", "view"]
    role: Literal["manager", "member"]
    status: Literal["pending", "open"]
    created_by: str
    return_url: str | None
    client_ip: str
    user_agent: str
    created_at: Moment
    opened_at: Moment | None
    last_seen_at: Moment | None
    expires_at: Moment
    object: Literal["portal-session"]


class PortalSessionMade(PortalSession):
    """`url` is shown this once."""

    url: str
