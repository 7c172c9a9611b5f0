"""What is kept of calls beside their records: bodies, logs that were sent in, and feedback."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class SentLog:
    """A log that was sent in, of a call that did not go through the gateway."""

    id: str
    organization_id: str
    workspace_id: str
    tenant_id: str | None
    key_id: str
    trace_id: str
    at: int
    sealed: bytes

    @property
    def row(self) -> str:
        return f"sent_log/{self.id}"


@dataclass(frozen=True, slots=True)
class KeptBody:
    """One call's, as it is stored."""

    request_id: str
    organization_id: str
    at: int
    sealed: bytes
    cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What somebody thinks of a call, or of all calls with one trace id. Times are nanoseconds since the epoch."""

    id: str
    organization_id: str
    workspace_id: str
    tenant_id: str | None
    key_id: str
    trace_id: str
    value: int
    """-10 to 10."""
    weight: int
    """Millionths, up to one."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    created_at: int
    updated_at: int
