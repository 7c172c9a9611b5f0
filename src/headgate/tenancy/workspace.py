"""The workspace: a tier, a team or a region. It holds tenants and keys, and integrations are provisioned to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from headgate.tenancy.admission import Rules
from headgate.tenancy.limits import RateLimit, UsageLimit
from headgate.tenancy.portal import Document as PortalDocument
from headgate.tenancy.routing_table import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """`metadata` goes onto every call of its keys and wins over theirs. Times are nanoseconds since the epoch."""

    id: str
    organization_id: str
    slug: str
    name: str
    description: str = ""
    is_default: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)
    usage_limits: tuple[UsageLimit, ...] = ()
    rate_limits: tuple[RateLimit, ...] = ()
    admission: Rules = field(default_factory=dict)
    routing: Document = field(default_factory=dict)
    """Its part of the routing table."""
    usage_reset_at: int | None = None
    """Usage before this moment no longer counts."""
    config_id: str | None = None
    """The slug of the config of calls whose key has none."""
    allow_config_override: bool = True
    """Whether a call may name another one."""
    input_guardrails: tuple[str, ...] = ()
    """Of its calls, after the organization's; ids."""
    output_guardrails: tuple[str, ...] = ()
    portal: PortalDocument = field(default_factory=dict)
    """What the customers of its tenants may do in the portal."""
    created_at: int
    updated_at: int
