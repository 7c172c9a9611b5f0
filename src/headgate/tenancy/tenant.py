"""The tenant: one customer account within a workspace."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from headgate.tenancy.admission import Rules
from headgate.tenancy.limits import RateLimit, UsageLimit
from headgate.tenancy.portal import Document as PortalDocument
from headgate.tenancy.routing_table import Document
from headgate.tenancy.tenant_policy import Downgrade


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """`slug` is the name the platform gives its customer: unique in the organization. Times are nanoseconds.

    What `tier` and the models mean is said at `TenantPolicy`.
    """

    id: str
    organization_id: str
    workspace_id: str
    slug: str
    name: str
    tier: str | None = None
    allowed_models: tuple[str, ...] | None = None
    default_model: str | None = None
    downgrade: Downgrade | None = None
    suspended: bool = False
    """None of its calls is taken."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    usage_limits: tuple[UsageLimit, ...] = ()
    rate_limits: tuple[RateLimit, ...] = ()
    admission: Rules = field(default_factory=dict)
    routing: Document = field(default_factory=dict)
    """Its part of the routing table."""
    weight: int = 1
    """Its share of a provider's capacity beside those of other tenants."""
    portal: PortalDocument = field(default_factory=dict)
    """What its customers may do in the portal, over what its workspace says."""
    usage_reset_at: int | None = None
    """Usage before this moment no longer counts."""
    created_at: int
    updated_at: int

    @property
    def status(self) -> str:
        return "suspended" if self.suspended else "active"
