"""The organization: whose gateway this is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headgate.tenancy.admission import Rules
from headgate.tenancy.limits import RateLimit, UsageLimit, Zone
from headgate.tenancy.routing_table import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """Times are nanoseconds since the epoch."""

    id: str
    name: str
    time_zone: str = "UTC"
    """Where its days, weeks and months begin; an IANA name."""
    time_zone_set_at: int = 0
    """When it took the place of another one; 0: it was the first."""
    usage_limits: tuple[UsageLimit, ...] = ()
    rate_limits: tuple[RateLimit, ...] = ()
    admission: Rules = field(default_factory=dict)
    routing: Document = field(default_factory=dict)
    """Its part of the routing table."""
    usage_reset_at: int | None = None
    """Usage before this moment no longer counts."""
    api_key_metadata_schema: Mapping[str, Any] | None = None
    """What the metadata of workspaces' keys must be, as `tenancy.metadata_schema` reads it; None: anything."""
    workspace_metadata_schema: Mapping[str, Any] | None = None
    input_guardrails: tuple[str, ...] = ()
    """Of every call; ids."""
    output_guardrails: tuple[str, ...] = ()
    keep_bodies_days: int | None = None
    """How long the bodies of calls are kept; None: they never are."""
    portal_origins: tuple[str, ...] = ()
    """Sites that may show the portal in a frame."""
    require_second_factor: bool = False
    """Of users who sign in with a password."""
    created_at: int
    updated_at: int

    @property
    def zone(self) -> Zone:
        return Zone(self.time_zone, self.time_zone_set_at)
