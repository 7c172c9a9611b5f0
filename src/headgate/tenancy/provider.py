"""The provider: an integration as one workspace names it, and how much of it goes under that name."""

from dataclasses import dataclass

from headgate.tenancy.limits import RateLimit, UsageLimit


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceProvider:
    """Addressed as `@slug/model`. A workspace may have several on one integration, each with limits of its own; they
    apply besides those the workspace has on the integration. The first is made when the integration is provisioned.

    Its budgets count from when it was made: its slug may have been another provider's before.
    """

    id: str
    workspace_id: str
    integration_id: str
    slug: str
    name: str
    note: str = ""
    usage_limits: tuple[UsageLimit, ...] = ()
    rate_limits: tuple[RateLimit, ...] = ()
    usage_reset_at: int | None = None
    expires_at: int | None = None
    """Nanoseconds since the epoch; from then on no call goes there."""
    created_at: int
    updated_at: int

    def expired(self, now: int) -> bool:
        return self.expires_at is not None and self.expires_at <= now
