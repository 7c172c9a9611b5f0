"""A session of the portal: somebody who looks at one tenant, and how he came in."""

from dataclasses import dataclass, field
from enum import StrEnum

from headgate.tenancy.tenant_member import TenantRole


class Entry(StrEnum):
    """How somebody came in."""

    LINK = "link"
    """With a signed link that the platform's backend asked for."""
    KEY = "key"
    USER = "user"
    VIEW = "view"
    """From the console: an operator who looks at what the tenant sees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalSession:
    """`link_hash` and `token_hash` are all that is kept of the link and of the cookie. Times are nanoseconds.

    One with a link begins without a cookie: it is `pending` until somebody opens the link, which works once.
    """

    id: str
    organization_id: str
    tenant_id: str
    entry: Entry
    role: TenantRole
    """Of who came with a link; what users and keys may is looked up with every page."""
    name: str
    """Who it is, as the page and the list tell."""
    created_by: str
    """The actor."""
    link_hash: bytes | None = field(default=None, repr=False)
    """Until the link is used."""
    return_url: str | None = None
    """Where the page's way back leads."""
    token_hash: bytes | None = field(default=None, repr=False)
    key_id: str | None = None
    key_hash: bytes | None = field(default=None, repr=False)
    """Of the key's secret that was shown: a session ends with the secret that opened it."""
    user_id: str | None = None
    console_session_id: str | None = None
    """Of the operator who looks: it ends with that session."""
    client_ip: str = ""
    user_agent: str = ""
    created_at: int
    opened_at: int | None = None
    seen_at: int
    """To the minute."""
    expires_at: int
    """The link's while it is pending, then the session's."""

    @property
    def status(self) -> str:
        return "pending" if self.opened_at is None else "open"
