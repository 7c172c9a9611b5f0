"""The organization: whose gateway this is."""

from dataclasses import dataclass, field

from headgate.tenancy.admission import Rules
from headgate.tenancy.limits import RateLimit, UsageLimit


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """Times are nanoseconds since the epoch."""

    id: str
    name: str
    time_zone: str = "UTC"
    """Where its days, weeks and months begin; an IANA name."""
    usage_limits: tuple[UsageLimit, ...] = ()
    rate_limits: tuple[RateLimit, ...] = ()
    admission: Rules = field(default_factory=dict)
    usage_reset_at: int | None = None
    """Usage before this moment no longer counts."""
    created_at: int
    updated_at: int
