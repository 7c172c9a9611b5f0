"""The API key as it is kept: everything but the key."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from headgate.tenancy.limits import RateLimit, UsageLimit
from headgate.tenancy.rotation import RotationPolicy


class KeyLevel(StrEnum):
    """What a key belongs to, in the contract's spelling."""

    ORGANIZATION = "organisation"
    """Administers; makes no calls."""
    WORKSPACE = "workspace"


class KeyOwner(StrEnum):
    """Who holds it."""

    USER = "user"
    SERVICE = "service"


Kind = tuple[KeyLevel, KeyOwner]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """`hash` is the key's HMAC; the key itself is nowhere. Times are nanoseconds since the epoch."""

    id: str
    organization_id: str
    workspace_id: str | None
    """None for a key of the organization."""
    tenant_id: str | None = None
    level: KeyLevel
    owner: KeyOwner
    user_id: str | None = None
    name: str
    description: str = ""
    hash: bytes = field(repr=False)
    masked: str
    scopes: frozenset[str]
    metadata: Mapping[str, str] = field(default_factory=dict)
    config_id: str | None = None
    allow_config_override: bool = True
    alert_emails: tuple[str, ...] = ()
    allowed_models: tuple[str, ...] | None = None
    """All that it may use of what its workspace has, as `tenancy.model_names` reads them; None: everything."""
    usage_limits: tuple[UsageLimit, ...] = ()
    rate_limits: tuple[RateLimit, ...] = ()
    usage_reset_at: int | None = None
    expires_at: int | None = None
    revoked_at: int | None = None
    previous_hash: bytes | None = field(default=None, repr=False)
    """Of the secret before the last rotation: until `previous_until` it is as good as the present one."""
    previous_until: int | None = None
    rotated_at: int | None = None
    rotation_policy: RotationPolicy | None = None
    next_rotation_at: int | None = None
    """When its secret is due to be replaced."""
    created_at: int
    updated_at: int

    def in_transition(self, now: int) -> bool:
        """Whether the secret before the last rotation is still good."""
        return self.previous_until is not None and self.previous_until > now

    def status(self, now: int) -> str:
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"
