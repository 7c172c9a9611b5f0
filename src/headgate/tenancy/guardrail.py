"""A stored guardrail: named checks, and what becomes of a call that does not pass them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrail:
    """Attached by its id or its slug, to requests or to answers. Times are nanoseconds since the epoch."""

    id: str
    organization_id: str
    workspace_id: str | None
    """None: of the organization; any workspace and any config may attach it."""
    slug: str
    name: str
    checks: tuple[Mapping[str, Any], ...]
    """In their order: `{"id", "name", "is_enabled", "parameters"}`."""
    actions: Mapping[str, Any] = field(default_factory=dict)
    """`deny`: what fails is refused. `async`: the usage record says so, and nobody else. `on_success` and `on_fail` may
    have `feedback` that is given on a call."""
    version_id: str
    """Of the newest version: this one."""
    created_at: int
    updated_at: int
