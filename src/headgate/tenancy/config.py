"""A stored config: where calls go and on what terms, as an administrator wrote it; `route_config` reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Calls name it by its slug. Times are nanoseconds since the epoch."""

    id: str
    organization_id: str
    workspace_id: str | None
    """None: calls of every workspace may name it."""
    slug: str
    name: str
    document: Mapping[str, Any]
    archived: bool = False
    """Kept, and in force nowhere."""
    version_id: str
    """Of the newest version: this one."""
    created_at: int
    updated_at: int
